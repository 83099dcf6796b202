// Loading both halves of a VAE.
#include "pipeline/models/loaded_vae.h"

namespace waggle::pipeline {

LoadedVae::LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
                     std::vector<std::string>* unused, WeightCache* cache)
    : LoadedVae(files, operations, PartWeights(files, *operations, cache), unused) {}

LoadedVae::LoadedVae(const PartFiles& files, std::shared_ptr<const ops::Operations> operations,
                     const PartWeights& weights, std::vector<std::string>* unused)
    : operations_(std::move(operations)),
      config_(VaeConfig::from(files.config)),
      decoder_(weights.build(*operations_), config_),
      encoder_(weights.build(*operations_), config_),
      bytes_(files.bytes) {
  weights.loaded();
  if (unused != nullptr)
    for (const auto& name : weights.source().unused()) unused->push_back("vae/" + name);
}

}  // namespace waggle::pipeline
