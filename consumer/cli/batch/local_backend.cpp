// Callbacks of the engine's threads become happenings on the caller's.
#include "consumer/cli/batch/local_backend.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "consumer/cli/inspect/content_id.h"
#include "schemas/codec/json.h"
#include "schemas/pictures.h"

namespace waggle::cli::batch {

namespace {
constexpr const char* kWorker = "this process";

/// What a picture says of its job: input pictures by their digests, as the queue's workers write them.
std::string describe(const JobRequest& resolved) {
  JobRequest described = resolved;
  described.idempotency_key.reset();  // the run's, and no part of the picture
  for (auto& [path, picture] : pictures_of(described)) {
    if (!picture->is_reference()) picture->source = content_id(std::get<std::string>(picture->source));
  }
  return codec::to_json(described);
}
}  // namespace

/// Shared with the callbacks, so that one that comes late finds it.
struct LocalBackend::Desk {
  void add(Happening happening) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(happening));
    arrived.notify_one();
  }
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<Happening> waiting;
};

LocalBackend::LocalBackend(pipeline::Pipeline& pipeline, std::string model)
    : pipeline_(pipeline), model_(std::move(model)), desk_(std::make_shared<Desk>()) {}

LocalBackend::~LocalBackend() { stop(); }

void LocalBackend::submit(Task task) {
  const std::size_t index = task.index;
  pipeline::RenderJob job;
  job.model = model_;
  job.request = std::move(task.request);
  job.done = std::move(task.written);
  job.describe = describe;
  job.callbacks.progress = [desk = desk_, index, began = false](int step, int total) mutable {
    if (!std::exchange(began, true)) desk->add(Started{index, kWorker});
    desk->add(Progressed{index, step, total});
  };
  job.callbacks.image = [desk = desk_, index](pipeline::RenderedImage image) {
    desk->add(Picture{index, image.info, std::move(image.bytes)});
  };
  job.callbacks.end = [desk = desk_, index](Result<pipeline::RenderSummary> summary) {
    if (summary)
      return desk->add(Completed{index, kWorker, summary->encode_s + summary->denoise_s + summary->decode_s});
    if (summary.error().code == ErrorCode::cancelled) return desk->add(Cancelled{index});
    desk->add(Failed{index, kWorker, summary.error()});
  };
  tickets_[index] = pipeline_.render(std::move(job));
}

Result<std::vector<Happening>> LocalBackend::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(desk_->mutex);
  desk_->arrived.wait_for(lock, timeout, [this] { return !desk_->waiting.empty(); });
  for (const Happening& happening : desk_->waiting) {
    // Whatever ends a job; its ticket means nothing any more.
    if (const auto* completed = std::get_if<Completed>(&happening)) tickets_.erase(completed->index);
    if (const auto* failed = std::get_if<Failed>(&happening)) tickets_.erase(failed->index);
    if (const auto* cancelled = std::get_if<Cancelled>(&happening)) tickets_.erase(cancelled->index);
  }
  return std::exchange(desk_->waiting, {});
}

void LocalBackend::stop() {
  for (const auto& [index, ticket] : tickets_) pipeline_.cancel(ticket);
  tickets_.clear();
}

}  // namespace waggle::cli::batch
