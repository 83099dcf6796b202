// The names of the original Stable Diffusion checkpoints (CompVis, Stability AI), translated from diffusers'
// names.
//
// A model asks for diffusers' names; a single-file checkpoint is read through this translation. Some tensors
// also change their form: fused query-key-value matrices are cut, a transposed projection is turned, 1x1
// convolutions become matrices.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {

/// The shape of a UNet or VAE that the numbering of the original names depends on.
struct LevelLayout {
  int levels = 4;
  int layers_per_block = 2;
  std::vector<bool> up_attention;  ///< per up block, from the deepest; UNet only
  int picture_blocks = 6;          ///< of a ControlNet's picture embedding, without its first and last
};

/// Where a tensor lies in the original file, and which part of it.
struct OriginalName {
  std::string name;
  enum class Form { as_is, third_of_rows, transposed } form = Form::as_is;
  int third = 0;  ///< 0 query, 1 key, 2 value of a fused matrix
};

/// Each takes a diffusers tensor name of its part ("down_blocks.0.resnets.1.conv1.weight") and answers with
/// the original name below the part's prefix, or nothing for a name that no original checkpoint has.
std::optional<std::string> original_unet_name(std::string_view name, const LevelLayout& layout);
std::optional<std::string> original_vae_name(std::string_view name, const LevelLayout& layout);
/// A ControlNet's down path is named as the UNet's; what is its own has names of its own.
std::optional<std::string> original_controlnet_name(std::string_view name, const LevelLayout& layout);
/// OpenCLIP's naming of a text encoder (SD 2.x, SDXL's second).
std::optional<OriginalName> open_clip_name(std::string_view name);

}  // namespace waggle::pipeline
