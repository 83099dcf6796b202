// The engine's face to other threads: models, tickets, the inbox. What its own thread does is in
// engine_turn.cpp.
#include "pipeline/engine/engine.h"

#include <algorithm>

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/block_arena.h"
#include "pipeline/engine/device.h"
#include "pipeline/engine/failure.h"
#include "pipeline/engine/memory.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

/// Some hundred prompts of SD 1.x or of SDXL.
constexpr std::int64_t kEncodingCacheBytes = 64 << 20;

/// The files that the text side comes from, with their sizes and times: a model that was given up and loaded
/// again is the same, unless somebody replaced a file.
std::string text_identity_of(const ModelFiles& files) {
  namespace fs = std::filesystem;
  std::vector<fs::path> all;
  std::error_code ignored;
  if (fs::is_regular_file(files.path, ignored)) all.push_back(files.path);
  for (const char* part : {"text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"})
    for (fs::directory_iterator it(files.path / part, ignored), end; it != end; it.increment(ignored))
      all.push_back(it->path());
  for (const auto& tokenizer : files.tokenizers) all.push_back(tokenizer.dir / "vocab.json");
  std::ranges::sort(all);
  std::string identity;
  for (const auto& file : all)
    identity += file.string() + ' ' + std::to_string(fs::file_size(file, ignored)) + ' ' +
                std::to_string(fs::last_write_time(file, ignored).time_since_epoch().count()) + '\n';
  return identity;
}

}  // namespace

Pipeline::Engine::Engine(Options options)
    : options_(std::move(options)),
      dtype_(dtype_for(options_.device, options_.precision)),
      encodings_(kEncodingCacheBytes) {
  if (const auto status = check_device(options_.device); !status)
    throw std::runtime_error(status.error().message);
  if (options_.device.kind == DeviceKind::cpu) {
    keep_freed_memory();
    keep_tensors_apart();
    threads_ = thread_count(options_.threads, options_.share);
    at::set_num_threads(threads_);
  }
  const at::Device device = torch_device(options_.device);
  // Text is encoded once per job: in fp32 on a CPU, where half precision would save nothing.
  const auto text = options_.device.kind == DeviceKind::cpu ? at::kFloat : dtype_;
  operations_.text = ops::reference_operations(device, text);
  operations_.unet = unet_operations(options_.device, options_.precision);
  operations_.vae = ops::best_operations(device, dtype_);
  const std::int64_t usable = memory_state(options_.device).free_bytes / 5 * 4;
  budget_shrinks_ = options_.memory_budget_bytes <= 0;
  if (budget_shrinks_) options_.memory_budget_bytes = usable;
  // Of what is usable the smaller half is left to the pictures, unless one model alone needs more.
  const bool given = options_.model_memory_bytes > 0;
  shelf_.emplace(given ? options_.model_memory_bytes : usable / 8 * 5);
  store_ = make_store(given ? options_.model_memory_bytes : usable);
  if (!options_.weight_cache.empty())
    cache_.emplace(options_.weight_cache, options_.weight_cache_bytes, options_.log);
  previews_.emplace(options_.folders.taesd, operations_.vae, options_.log);
  adapters_ = std::make_unique<Adapters>(options_, *shelf_, operations_.unet,
                                         [this](const VaeConfig& config) { return vae_operations(config); });
  builder_ = std::make_unique<VariantBuilder>([this](EngineJob& job) { fit(job); },
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
  if (options_.precision == Precision::int8) return "int8";
  return dtype_ == at::kBFloat16 ? "bf16" : dtype_ == at::kHalf ? "fp16" : "fp32";
}

std::shared_ptr<const ops::Operations> Pipeline::Engine::vae_operations(const VaeConfig& config) const {
  if (dtype_ == at::kHalf && config.force_upcast)
    return ops::reference_operations(torch_device(options_.device), at::kFloat);
  return operations_.vae;
}

ModelOperations Pipeline::Engine::operations_for(const ModelFiles& files) const {
  ModelOperations operations = operations_;
  operations.vae = vae_operations(VaeConfig::from(files.vae.config));
  return operations;
}

std::unique_ptr<ModelStore> Pipeline::Engine::make_store(std::int64_t most_bytes) {
  return std::make_unique<ModelStore>(
      *shelf_, most_bytes,
      ModelStore::Maker{
          [this](const std::filesystem::path& path) {
            return find_model_files(path, {options_.folders.tokenizer, {}, options_.family});
          },
          [this](const ModelFiles& files) { return weight_bytes(files, operations_for(files)); },
          [this](const ModelFiles& files, const std::string& name) { return build_model(files, name); }},
      options_.log);
}

std::shared_ptr<const LoadedModel> Pipeline::Engine::build_model(const ModelFiles& files,
                                                                 const std::string& name) {
  const ModelOperations operations = operations_for(files);
  std::vector<std::string> unused;
  auto model = std::make_unique<const StableDiffusion>(files, operations, &unused, nullptr,
                                                       cache_ ? &*cache_ : nullptr);
  if (options_.log)
    for (const auto& tensor : unused) options_.log(name + ": tensor " + tensor + " is not used");
  return std::make_shared<const LoadedModel>(LoadedModel{describe(files, name), files, operations,
                                                         std::move(model), text_identity_of(files),
                                                         weight_bytes(files, operations)});
}

Result<ModelDescription> Pipeline::Engine::load(const std::filesystem::path& path, const std::string& name) {
  auto model = store_->load(path, name);
  if (!model) return std::move(model).error();
  return (*model)->description;
}

void Pipeline::Engine::unload(const std::string& name) {
  if (const auto last = store_->forget(name)) adapters_->forget(last);  // running jobs keep theirs
}

std::int64_t Pipeline::Engine::model_bytes(const std::string& name) const { return store_->bytes(name); }

std::int64_t Pipeline::Engine::activation_budget() const {
  const std::int64_t budget = options_.memory_budget_bytes;
  return budget_shrinks_ ? std::max<std::int64_t>(0, budget - shelf_->bytes()) : budget;
}

Ticket Pipeline::Engine::render(RenderJob render_job) {
  std::unique_lock lock(mutex_);
  const auto job = std::make_shared<EngineJob>(++last_ticket_, std::move(render_job));
  tickets_[job->ticket] = job;
  lock.unlock();
  const RenderJob& what = job->job;
  bool ready = !adapters_->named_by(what.request);
  job->base = job->model = store_->find(what.model);
  ready = ready && (job->model || !store_->knows(what.model));
  if (ready && what.request.refiner) {
    job->refiner = store_->find(what.refiner_name());
    ready = job->refiner != nullptr;
  }
  if (ready)
    deliver(job);
  else
    builder_->post(job);
  return job->ticket;
}

void Pipeline::Engine::fit(EngineJob& job) {
  const JobRequest& request = job.job.request;
  if (auto fields = validate(request); !fields.empty()) {
    job.refusal = invalid_request(std::move(fields));
    return;
  }
  auto base = store_->get(job.job.model);
  if (!base) {
    job.refusal = std::move(base).error();
    return;
  }
  job.base = job.model = *base;
  const c10::InferenceMode no_gradients;
  if (auto fitted = adapters_->fit(job, *base); !fitted) job.refusal = std::move(fitted).error();
  if (!request.refiner || job.refusal) return;
  if (auto fitted = fit_refiner(job); !fitted) job.refusal = std::move(fitted).error();
}

Status Pipeline::Engine::fit_refiner(EngineJob& job) {
  auto refiner = store_->get(job.job.refiner_name());
  if (!refiner) {
    Error error = std::move(refiner).error();
    if (error.code == ErrorCode::unknown_model)
      error.fields = {{"/refiner/model", "is not a model of this worker"}};
    return error;
  }
  job.refiner = *refiner;
  auto embeddings = adapters_->embeddings(job.job.request, *job.refiner->model);
  if (!embeddings) return std::move(embeddings).error();
  job.refiner_embeddings = std::move(*embeddings);
  return Done{};
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
  stats.text_encoder_runs = encodings_.misses();
  stats.text_cache_hits = encodings_.hits();
  const MemoryState memory = memory_state(options_.device);
  stats.memory_used_bytes = memory.used_bytes;
  stats.memory_total_bytes = memory.total_bytes;
  return stats;
}

}  // namespace waggle::pipeline
