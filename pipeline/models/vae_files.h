// A VAE by itself: a folder in diffusers layout, or one .safetensors under the original or diffusers' names.
#pragma once

#include <filesystem>

#include "pipeline/models/model_files.h"

namespace waggle::pipeline {

/// Reads configuration and header, no weights. What a single file does not say (scaling factor, groups,
/// whether it bears half precision) is taken from `model`, the configuration of the VAE whose place it takes.
/// Throws LoadError naming file and key or tensor.
PartFiles find_vae_files(const std::filesystem::path& path, const Config& model);

/// The files that a VAE's weights lie in, and its configuration if it has one.
std::vector<std::filesystem::path> files_of_vae(const std::filesystem::path& path);

}  // namespace waggle::pipeline
