// The engine's face to other threads: models, tickets, the inbox. What its own thread does is in
// engine_turn.cpp.
#include "pipeline/engine/engine.h"

#include <ATen/Parallel.h>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/device.h"
#include "pipeline/engine/failure.h"
#include "pipeline/engine/memory.h"
#include "schemas/validate.h"

namespace waggle::pipeline {

Pipeline::Engine::Engine(Options options)
    : options_(std::move(options)), dtype_(dtype_for(options_.device, options_.precision)) {
  if (const auto status = check_device(options_.device); !status)
    throw std::runtime_error(status.error().message);
  if (options_.device.kind == DeviceKind::cpu) {
    keep_freed_memory();
    at::set_num_threads(options_.threads > 0 ? options_.threads : usable_processors());
  }
  const at::Device device = torch_device(options_.device);
  // Text is encoded once per job: in fp32 on a CPU, where half precision would save nothing.
  const auto text = options_.device.kind == DeviceKind::cpu ? at::kFloat : dtype_;
  operations_.text = ops::reference_operations(device, text);
  operations_.unet = ops::best_operations(device, dtype_);
  operations_.vae = operations_.unet;
  if (options_.memory_budget_bytes <= 0)
    options_.memory_budget_bytes = memory_state(options_.device).free_bytes / 5 * 4;
  controlnets_.emplace(options_.controlnet_dir, operations_.unet);
  // A fourth of the budget: the rest is for the pictures and for what else the machine does.
  variants_ =
      std::make_unique<ModelVariants>(options_.lora_dir, options_.memory_budget_bytes / 4, options_.log);
  builder_ = std::make_unique<VariantBuilder>([this](EngineJob& job) { choose_variant(job); },
                                              [this](JobPointer job) { deliver(std::move(job)); });
  thread_ = std::thread([this] { run(); });
}

Pipeline::Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [ticket, weak] : tickets_)
      if (const auto job = weak.lock()) job->cancelled = true;
  }
  builder_.reset();  // hands over every job that it has
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string Pipeline::Engine::precision() const {
  return dtype_ == at::kBFloat16 ? "bf16" : dtype_ == at::kHalf ? "fp16" : "fp32";
}

Result<ModelDescription> Pipeline::Engine::load(const std::filesystem::path& path, const std::string& name) {
  const std::lock_guard one_at_a_time(load_mutex_);
  if (const auto known = find_model(name)) return known->description;
  try {
    const ModelFiles files = find_model_files(path, {options_.tokenizer_dir, {}, options_.family});
    ModelOperations operations = operations_;
    if (dtype_ == at::kHalf && VaeConfig::from(files.vae.config).force_upcast)
      operations.vae = ops::reference_operations(torch_device(options_.device), at::kFloat);
    std::vector<std::string> unused;
    auto model = std::make_unique<const StableDiffusion>(files, operations, &unused);
    const auto loaded = std::make_shared<const LoadedModel>(
        LoadedModel{describe(files, name), files, std::move(operations), std::move(model), {}});
    if (options_.log)
      for (const auto& tensor : unused) options_.log(name + ": tensor " + tensor + " is not used");
    const std::lock_guard lock(mutex_);
    models_[name] = loaded;
    return loaded->description;
  } catch (...) {
    auto failure = failure_of(std::current_exception());
    if (options_.log) options_.log(name + ": " + failure.detail);
    return std::move(failure.error);
  }
}

void Pipeline::Engine::unload(const std::string& name) {
  std::shared_ptr<const LoadedModel> last;  // running jobs keep their own reference
  {
    const std::lock_guard lock(mutex_);
    const auto found = models_.find(name);
    if (found == models_.end()) return;
    last = std::move(found->second);
    models_.erase(found);
  }
  variants_->forget(last);
}

std::shared_ptr<const LoadedModel> Pipeline::Engine::find_model(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(name);
  return found == models_.end() ? nullptr : found->second;
}

std::int64_t Pipeline::Engine::model_bytes(const std::string& name) const {
  const auto model = find_model(name);
  return model ? model->model->bytes() : 0;
}

Ticket Pipeline::Engine::render(RenderJob render_job) {
  const bool adapted = !render_job.request.loras.empty();
  std::unique_lock lock(mutex_);
  const auto job = std::make_shared<EngineJob>(++last_ticket_, std::move(render_job));
  tickets_[job->ticket] = job;
  lock.unlock();
  if (adapted)
    builder_->post(job);
  else
    deliver(job);
  return job->ticket;
}

void Pipeline::Engine::choose_variant(EngineJob& job) {
  const JobRequest& request = job.job.request;
  if (auto fields = validate(request); !fields.empty()) {
    job.refusal = invalid_request(std::move(fields));
    return;
  }
  const auto base = find_model(job.job.model);
  if (!base) return;  // refused where all jobs without a model are
  auto variant = variants_->get(base, request.loras);
  if (variant)
    job.model = std::move(*variant);
  else
    job.refusal = std::move(variant).error();
}

void Pipeline::Engine::deliver(JobPointer job) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void Pipeline::Engine::cancel(Ticket ticket) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = tickets_.find(ticket); found != tickets_.end())
      if (const auto job = found->second.lock()) job->cancelled = true;
  }
  changed_.notify_all();
  builder_->release_cancelled();
}

EngineStats Pipeline::Engine::stats() const {
  EngineStats stats;
  clock_.fill(stats);
  const MemoryState memory = memory_state(options_.device);
  stats.memory_used_bytes = memory.used_bytes;
  stats.memory_total_bytes = memory.total_bytes;
  return stats;
}

}  // namespace waggle::pipeline
