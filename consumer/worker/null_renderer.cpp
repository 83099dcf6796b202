// One thread that steps all running jobs together, as the real engine does.
#include "consumer/worker/null_renderer.h"

#include <algorithm>
#include <cstdint>

#include "pipeline/image/picture.h"

namespace waggle::worker {
namespace {

/// One pixel whose colour is the seed's low 24 bits: whoever looks can tell whose picture it is.
std::string picture_of(std::int64_t seed) {
  const auto byte = [seed](int i) { return static_cast<std::uint8_t>(seed >> (8 * i)); };
  return pipeline::encode({1, 1, 3, {byte(2), byte(1), byte(0)}}, OutputFormat::png);
}

constexpr int kDefaultSteps = 20;

}  // namespace

NullRenderer::NullRenderer(NullRendererOptions options) : options_(std::move(options)) {
  thread_ = std::thread([this] { run(); });
}

NullRenderer::~NullRenderer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (auto& [ticket, running] : running_) running.cancelled = true;
  }
  changed_.notify_all();
  thread_.join();
}

Description NullRenderer::describe() const {
  const std::lock_guard lock(mutex_);
  Description description{"cpu", "none (null renderer)", "fp32", {}, {}, {}};
  for (const std::string& model : options_.models) {
    description.models.push_back({model, "null", {}, loaded_.contains(model), 0});
  }
  return description;
}

Status NullRenderer::load(const std::string& model) {
  if (std::find(options_.models.begin(), options_.models.end(), model) == options_.models.end()) {
    return Error{ErrorCode::unknown_model, "this worker does not serve the model"};
  }
  std::unique_lock lock(mutex_);
  if (!loaded_.contains(model)) {
    changed_.wait_for(lock, options_.load, [this] { return closing_; });
    loaded_[model] = true;
  }
  return Done{};
}

void NullRenderer::unload(const std::string& model) {
  const std::lock_guard lock(mutex_);
  loaded_.erase(model);
}

pipeline::Ticket NullRenderer::render(pipeline::RenderJob job) {
  const std::lock_guard lock(mutex_);
  const pipeline::Ticket ticket = next_ticket_++;
  Running running;
  const int images = job.request.n - static_cast<int>(job.done.size());
  running.steps_total = job.request.steps.value_or(kDefaultSteps) * images;
  running.job = std::move(job);
  running_.emplace(ticket, std::move(running));
  ++stats_.jobs_running;
  changed_.notify_all();
  return ticket;
}

void NullRenderer::cancel(pipeline::Ticket ticket) {
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(ticket); found != running_.end()) found->second.cancelled = true;
  changed_.notify_all();
}

pipeline::EngineStats NullRenderer::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void NullRenderer::run() {
  std::unique_lock lock(mutex_);
  std::lognormal_distribution<double> spread(0.0, 0.33);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !running_.empty(); });
    if (running_.empty()) return;
    const auto anyone_cancelled = [this] {
      return closing_ || std::any_of(running_.begin(), running_.end(),
                                     [](const auto& job) { return job.second.cancelled; });
    };
    changed_.wait_for(lock, options_.step * spread(random_), anyone_cancelled);
    // Nobody else removes jobs, and a map keeps its elements where they are: the pointers outlive the
    // unlocked part.
    std::vector<std::pair<pipeline::Ticket, Running*>> running;
    for (auto& [ticket, job] : running_) running.emplace_back(ticket, &job);
    ++stats_.unet_calls;
    stats_.unet_images += static_cast<std::int64_t>(running.size());
    stats_.step_median_s = std::chrono::duration<double>(options_.step).count();
    lock.unlock();
    step_all(running);
    lock.lock();
    for (const auto& [ticket, ended] : running) {
      running_.erase(ticket);
      --stats_.jobs_running;
    }
  }
}

/// Steps every job; leaves in the list those that have ended.
void NullRenderer::step_all(std::vector<std::pair<pipeline::Ticket, Running*>>& running) {
  std::erase_if(running, [this](const auto& item) {
    Running& job = *item.second;
    const auto& callbacks = job.job.callbacks;
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      cancelled = job.cancelled;
    }
    if (cancelled) {
      if (callbacks.end) callbacks.end(Error{ErrorCode::cancelled, "cancelled"});
      return false;
    }
    if (job.steps_done < job.steps_total) {
      ++job.steps_done;
      if (callbacks.progress) callbacks.progress(job.steps_done, job.steps_total);
      const auto every = job.job.request.preview_every;
      if (every && job.steps_done % *every == 0 && callbacks.preview) {
        const std::string picture = picture_of(job.job.request.seed.value_or(0));
        callbacks.preview({0, job.steps_done, job.steps_total, OutputFormat::png, picture});
      }
    }
    if (job.steps_done < job.steps_total) return true;
    finish(job);
    return false;
  });
}

void NullRenderer::finish(Running& running) {
  const JobRequest& request = running.job.request;
  const auto& callbacks = running.job.callbacks;
  for (int index = 0; index < request.n; ++index) {
    const auto& done = running.job.done;
    if (std::find(done.begin(), done.end(), index) != done.end() || !callbacks.image) continue;
    const std::int64_t seed = request.seed.value_or(0) + index;
    std::string bytes = picture_of(seed);
    bytes.resize(std::max(bytes.size(), options_.image_bytes));  // readers stop at the file's end mark
    ImageInfo info{index, seed, OutputFormat::png, 1, 1, static_cast<std::int64_t>(bytes.size())};
    callbacks.image({info, std::move(bytes)});
  }
  if (callbacks.end) callbacks.end(pipeline::RenderSummary{request});
}

}  // namespace waggle::worker
