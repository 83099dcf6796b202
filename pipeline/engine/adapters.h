// What jobs add to a model: LoRAs, a VAE, ControlNets, embeddings; found in the worker's own folders by their
// names, and kept for the next job.
//
// Loads on the caller's thread, which is the builder's, so that the running batch goes on.
#pragma once

#include <memory>

#include "pipeline/engine/controlnets.h"
#include "pipeline/engine/embeddings.h"
#include "pipeline/engine/job.h"
#include "pipeline/engine/model_variants.h"
#include "pipeline/engine/vaes.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline {

class Adapters {
 public:
  /// `shelf`: keeps the models with LoRAs. `controlnet_operations`: what ControlNets run on.
  Adapters(const Options& options, ModelShelf& shelf,
           std::shared_ptr<const ops::Operations> controlnet_operations, Vaes::OperationsFor vae_operations);

  /// Whether fit() has anything to do for the request. Thread-safe.
  [[nodiscard]] bool named_by(const JobRequest& request) const;
  /// Sets the job's model, ControlNets and embeddings. One call at a time. **Errors**: unknown_adapter,
  /// invalid_request and out_of_memory with the field's path.
  Status fit(EngineJob& job, const std::shared_ptr<const LoadedModel>& base);
  /// The embeddings that the request's prompts name, for another model that reads them too. Thread-safe.
  Result<std::vector<PromptEmbedding>> embeddings(const JobRequest& request, const StableDiffusion& model);
  /// Gives up what was made from `base`. Thread-safe.
  void forget(const std::shared_ptr<const LoadedModel>& base) { variants_.forget(base); }

 private:
  std::shared_ptr<ContentHashes> hashes_ = std::make_shared<ContentHashes>();
  ModelVariants variants_;
  Vaes vaes_;
  ControlNets controlnets_;
  Embeddings embeddings_;
};

}  // namespace waggle::pipeline
