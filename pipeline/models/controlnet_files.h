// Where a ControlNet lies: a folder in diffusers layout, or one .safetensors under the original or diffusers'
// names.
#pragma once

#include <filesystem>

#include "pipeline/models/model_files.h"

namespace waggle::pipeline {

/// Reads configuration and header, no weights. A single file says nothing of heads, groups and the like: they
/// are those of `unet`, the configuration of the UNet that it will act on. Throws LoadError naming file and
/// key or tensor; for a single file without `unet`.
PartFiles find_controlnet_files(const std::filesystem::path& path, const Config* unet = nullptr);

/// What the weights and, for a folder, the configuration lie in.
std::vector<std::filesystem::path> files_of_controlnet(const std::filesystem::path& path);

}  // namespace waggle::pipeline
