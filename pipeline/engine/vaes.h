// VAEs that take the place of a model's own: loaded from the worker's folder when jobs name them, shared by
// all models that they suit, kept by content while they fit.
//
// Loads on the caller's thread, one call at a time.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "pipeline/adapters/adapter_folder.h"
#include "pipeline/engine/job.h"
#include "pipeline/weights/content_hashes.h"

namespace waggle::pipeline {

class Vaes {
 public:
  /// What a VAE runs on; one that does not bear half precision may get other operations than the rest.
  using OperationsFor = std::function<std::shared_ptr<const ops::Operations>(const VaeConfig&)>;

  /// `budget_bytes`: of those that are kept beside the one that was asked for last.
  Vaes(std::filesystem::path dir, std::int64_t budget_bytes, OperationsFor operations,
       std::shared_ptr<ContentHashes> hashes);

  /// `model` with the VAE of this name; text encoders and UNet are the same objects.
  /// **Errors**: unknown_adapter and invalid_request with the path /vae: not in the folder, broken, made for
  /// other latents; out_of_memory.
  Result<std::shared_ptr<const LoadedModel>> get(const std::shared_ptr<const LoadedModel>& model,
                                                 const std::string& name);

  [[nodiscard]] std::int64_t bytes() const;  ///< of those that are kept

 private:
  struct Kept {
    std::string key;
    std::shared_ptr<const LoadedVae> vae;
  };
  std::shared_ptr<const LoadedVae> load(const std::filesystem::path& path, const LoadedModel& model);

  AdapterFolder folder_;
  std::int64_t budget_bytes_;
  OperationsFor operations_;
  std::shared_ptr<ContentHashes> hashes_;
  std::list<Kept> kept_;  // most recent first
};

}  // namespace waggle::pipeline
