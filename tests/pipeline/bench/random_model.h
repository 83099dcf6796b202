// Full-size models of random weights, to try loading and rendering without a download.
#pragma once

#include <filesystem>
#include <string_view>

#include "pipeline/weights/single_file.h"

namespace waggle::bench {

/// "sd15", "sd21" or "sdxl".
pipeline::CheckpointKind kind_of(std::string_view model);

/// Writes a diffusers folder in fp16 with the published configuration of that family. `tokenizer`: a folder
/// with vocab.json and merges.txt, copied into the model. Throws std::exception.
void write_model(const std::filesystem::path& dir, const pipeline::CheckpointKind& kind,
                 const std::filesystem::path& tokenizer);

}  // namespace waggle::bench
