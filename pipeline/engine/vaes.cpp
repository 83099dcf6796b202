// Finding, loading and keeping VAEs.
#include "pipeline/engine/vaes.h"

#include <algorithm>

#include "pipeline/engine/failure.h"
#include "pipeline/models/vae_files.h"
#include "schemas/validate.h"

namespace waggle::pipeline {

Vaes::Vaes(std::filesystem::path dir, std::int64_t budget_bytes, OperationsFor operations,
           std::shared_ptr<ContentHashes> hashes)
    : folder_(std::move(dir)),
      budget_bytes_(budget_bytes),
      operations_(std::move(operations)),
      hashes_(std::move(hashes)) {}

Result<std::shared_ptr<const LoadedModel>> Vaes::get(const std::shared_ptr<const LoadedModel>& model,
                                                     const std::string& name) {
  auto path = folder_.folder(name);
  if (!path) path = folder_.file(name);
  if (!path)
    return Error{ErrorCode::unknown_adapter, "there is no such VAE", {{"/vae", "is not in the VAE folder"}}};
  try {
    auto vae = load(*path, *model);
    const VaeConfig &own = model->model->vae_config(), &other = vae->config();
    if (other.latent_channels != own.latent_channels || other.factor() != own.factor())
      return invalid_request({{"/vae", "was made for latents of " + std::to_string(other.latent_channels) +
                                           " channels and cells of " + std::to_string(other.factor()) +
                                           " pixels, the model has " + std::to_string(own.latent_channels) +
                                           " and " + std::to_string(own.factor())}});
    return std::make_shared<const LoadedModel>(
        LoadedModel{model->description, model->files, model->operations,
                    std::make_unique<const StableDiffusion>(model->model->with_vae(std::move(vae))),
                    model->text_identity, model->bytes});
  } catch (const LoadError& error) {
    return invalid_request({{"/vae", error.what()}});
  } catch (...) {
    return failure_of(std::current_exception()).error;
  }
}

std::shared_ptr<const LoadedVae> Vaes::load(const std::filesystem::path& path, const LoadedModel& model) {
  const PartFiles files = find_vae_files(path, model.files.vae.config);
  std::string key;
  for (const auto& file : files_of_vae(path)) key += hashes_->of(file) + ' ';
  // What a single file leaves open comes from the model, and is the same for most.
  key += files.config.json().dump();
  const auto known = std::ranges::find(kept_, key, &Kept::key);
  if (known != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, known);
    return known->vae;
  }
  // Before loading; those that jobs use live on as long as the jobs.
  while (!kept_.empty() && bytes() + files.bytes > budget_bytes_) kept_.pop_back();
  auto vae = std::make_shared<const LoadedVae>(files, operations_(VaeConfig::from(files.config)));
  kept_.push_front({std::move(key), std::move(vae)});
  return kept_.front().vae;
}

std::int64_t Vaes::bytes() const {
  std::int64_t total = 0;
  for (const Kept& kept : kept_) total += kept.vae->bytes();
  return total;
}

}  // namespace waggle::pipeline
