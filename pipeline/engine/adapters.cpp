// Fitting a job out.
#include "pipeline/engine/adapters.h"

namespace waggle::pipeline {
namespace {

// Of the memory budget: the rest is for the pictures and for what else the machine does.
constexpr std::int64_t kVaeShare = 16, kControlNetShare = 4;

}  // namespace

Adapters::Adapters(const Options& options, ModelShelf& shelf,
                   std::shared_ptr<const ops::Operations> controlnet_operations,
                   Vaes::OperationsFor vae_operations)
    : variants_(options.folders.loras, shelf, options.log, hashes_),
      vaes_(options.folders.vaes, options.memory_budget_bytes / kVaeShare, std::move(vae_operations),
            hashes_),
      controlnets_(options.folders.controlnets, options.memory_budget_bytes / kControlNetShare,
                   std::move(controlnet_operations), hashes_),
      embeddings_(options.folders.embeddings, hashes_) {}

bool Adapters::named_by(const JobRequest& request) const {
  return !request.loras.empty() || request.vae || !request.controls.empty() || embeddings_.named_by(request);
}

Status Adapters::fit(EngineJob& job, const std::shared_ptr<const LoadedModel>& base) {
  const JobRequest& request = job.job.request;
  auto model = variants_.get(base, request.loras);
  if (!model) return std::move(model).error();
  if (request.vae) {
    model = vaes_.get(*model, *request.vae);
    if (!model) return std::move(model).error();
  }
  auto nets = controlnets_.get(request, **model);
  if (!nets) return std::move(nets).error();
  auto named = embeddings(request, *(*model)->model);
  if (!named) return std::move(named).error();
  job.model = std::move(*model);
  job.control_nets = std::move(*nets);
  job.embeddings = std::move(*named);
  return Done{};
}

Result<std::vector<PromptEmbedding>> Adapters::embeddings(const JobRequest& request,
                                                          const StableDiffusion& model) {
  std::vector<std::int64_t> widths;
  for (const ClipText& encoder : model.text_encoders()) widths.push_back(encoder.config().width);
  return embeddings_.get(request, widths);
}

}  // namespace waggle::pipeline
