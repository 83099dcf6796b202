// Which tokens begin, end and pad a prompt, from the two small JSON files beside a vocabulary.
#pragma once

#include <filesystem>
#include <string>

#include "schemas/result.h"

namespace waggle::pipeline {

struct SpecialTokens {
  std::string begin = "<|startoftext|>";
  std::string end = "<|endoftext|>";
  std::string pad = "<|endoftext|>";
};

/// tokenizer_config.json, then special_tokens_map.json, which has the last word. A token is a string or an
/// object with its `content`. Missing files and keys leave CLIP's own. Errors: model_load_failed naming the
/// file.
Result<SpecialTokens> read_special_tokens(const std::filesystem::path& dir);

}  // namespace waggle::pipeline
