// A VAE with its weights in memory: of a model, or of a file that takes the place of the model's own.
//
// Immutable after loading, so that models and jobs share it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/models/model_files.h"
#include "pipeline/models/part_weights.h"
#include "pipeline/models/vae.h"

namespace waggle::pipeline {

class LoadedVae {
 public:
  /// Throws LoadError naming key or tensor. `unused` collects tensors of the file that nobody took.
  LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
            std::vector<std::string>* unused = nullptr, WeightCache* cache = nullptr);

  [[nodiscard]] const VaeConfig& config() const { return config_; }
  [[nodiscard]] const VaeDecoder& decoder() const { return decoder_; }
  [[nodiscard]] const VaeEncoder& encoder() const { return encoder_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }  ///< of the tensors as stored

 private:
  LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
            const PartWeights& weights, std::vector<std::string>* unused);

  std::shared_ptr<const ops::Operations> operations_;
  VaeConfig config_;
  VaeDecoder decoder_;
  VaeEncoder encoder_;
  std::int64_t bytes_;
};

}  // namespace waggle::pipeline
