// Loading both halves of a VAE.
#include "pipeline/models/loaded_vae.h"

namespace waggle::pipeline {

LoadedVae::LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
                     std::vector<std::string>* unused)
    : LoadedVae(files, std::move(operations), files.open(), unused) {}

LoadedVae::LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
                     std::unique_ptr<WeightSource> weights, std::vector<std::string>* unused)
    : operations_(std::move(operations)),
      config_(VaeConfig::from(files.config)),
      decoder_(Builder(*weights, *operations_), config_),
      encoder_(Builder(*weights, *operations_), config_),
      bytes_(files.bytes) {
  if (unused != nullptr)
    for (const auto& name : weights->unused()) unused->push_back("vae/" + name);
}

}  // namespace waggle::pipeline
