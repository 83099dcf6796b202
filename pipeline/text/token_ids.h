// vocab.json: one flat JSON object from token to id. Also how the files of a tokenizer are read and blamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "schemas/result.h"

namespace waggle::pipeline {

using TokenIds = std::unordered_map<std::string, std::int32_t>;

/// Errors: model_load_failed naming file and line: no such file, more than 32 MiB, not one flat object, a
/// token or an id that occurs twice, an id below 0 or above 2^20.
Result<TokenIds> read_token_ids(const std::filesystem::path& file);

/// The whole file. Errors: model_load_failed when it cannot be read or is larger than any tokenizer file (32
/// MiB).
Result<std::string> read_small_file(const std::filesystem::path& file);

/// model_load_failed with "<folder>/<file>, line <line>: <problem>"; line 0 is left out.
Error load_error(const std::filesystem::path& file, std::size_t line, std::string_view problem);

}  // namespace waggle::pipeline
