// Names and aliases to the pipeline's models.
#include "consumer/worker/pipeline_renderer.h"

#include <algorithm>

#include "schemas/limits.h"

namespace waggle::worker {
namespace {

std::vector<std::string> flatten(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.insert(names.end(), row.begin(), row.end());
  return names;
}

/// Read anew for each heartbeat: files are put there while the worker runs.
AdapterLists adapters_in(const pipeline::Folders& folders) {
  pipeline::AdapterNames names = pipeline::adapter_names(folders);
  for (auto* kind : {&names.loras, &names.embeddings, &names.vaes, &names.controlnets})
    if (kind->size() > limits::kMaxListedAdapters) kind->resize(limits::kMaxListedAdapters);
  return {std::move(names.loras), std::move(names.embeddings), std::move(names.vaes),
          std::move(names.controlnets)};
}

}  // namespace

PipelineRenderer::PipelineRenderer(pipeline::Options options, std::vector<pipeline::Catalogue::Entry> models)
    : models_(std::move(models)),
      device_(options.device),
      folders_(options.folders),
      pipeline_(std::move(options)) {}

const pipeline::Catalogue::Entry* PipelineRenderer::find(std::string_view name) const {
  const auto found = std::find_if(models_.begin(), models_.end(), [name](const auto& entry) {
    return entry.model.name == name ||
           std::find(entry.aliases.begin(), entry.aliases.end(), name) != entry.aliases.end();
  });
  return found == models_.end() ? nullptr : &*found;
}

Description PipelineRenderer::describe() const {
  Description description;
  description.device = pipeline::to_string(device_);
  description.device_name = pipeline::device_name(device_, pipeline_.threads());
  description.precision = pipeline_.precision();
  for (const auto& entry : models_) {
    const std::int64_t bytes = pipeline_.model_bytes(entry.model.name);
    description.models.push_back({entry.model.name, entry.model.family, entry.aliases, bytes > 0, bytes});
  }
  description.samplers = flatten(pipeline::sampler_names());
  description.schedules = flatten(pipeline::schedule_names());
  description.adapters = adapters_in(folders_);
  return description;
}

Status PipelineRenderer::load(const std::string& model) {
  const auto* entry = find(model);
  if (entry == nullptr) return Error{ErrorCode::unknown_model, "this worker does not serve the model"};
  auto loaded = pipeline_.load(entry->model.path, entry->model.name);
  if (!loaded) return std::move(loaded).error();
  return Done{};
}

void PipelineRenderer::unload(const std::string& model) {
  if (const auto* entry = find(model)) pipeline_.unload(entry->model.name);
}

pipeline::Ticket PipelineRenderer::render(pipeline::RenderJob job) {
  // The pipeline knows the model by the name it was loaded under, the client may have used an alias.
  if (const auto* entry = find(job.model)) job.model = entry->model.name;
  if (job.request.refiner)
    if (const auto* entry = find(job.request.refiner->model)) job.refiner = entry->model.name;
  return pipeline_.render(std::move(job));
}

}  // namespace waggle::worker
