// A textual-inversion embedding (Gal et al. 2022): vectors that take the places of tokens in a text encoder.
//
// Reads .safetensors in the three forms that occur. Pickled files (.pt, .bin) are never opened: reading one
// can run code.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

class EmbeddingFile {
 public:
  /// `emb_params` (AUTOMATIC1111, kohya), one tensor of any name (diffusers), or `clip_l` and `clip_g` (SDXL;
  /// `text_encoders_0` and `_1` mean the same). Throws LoadError naming file and tensor: none of these, no
  /// vectors, more than a prompt has room for, numbers that are not finite.
  explicit EmbeddingFile(const std::filesystem::path& path);

  /// The vectors for text encoders of these widths. **Shape**: one [n, width] fp32 per encoder, the same n in
  /// all. Throws LoadError naming the file and both widths when it was made for another kind of model.
  [[nodiscard]] std::vector<at::Tensor> vectors(std::span<const std::int64_t> widths) const;

 private:
  [[nodiscard]] LoadError mismatch(std::span<const std::int64_t> widths) const;

  std::string name_;
  std::vector<at::Tensor> sets_;  // one, or clip_l and clip_g
};

}  // namespace waggle::pipeline
