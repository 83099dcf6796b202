// One job at a time from the claim to the renderer.
#include "consumer/worker/starter.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <spdlog/spdlog.h>

#include "consumer/worker/boundary.h"
#include "schemas/codec/json.h"
#include "schemas/pictures.h"

namespace waggle::worker {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryEvery = 200ms;

const Error kStopped{ErrorCode::cancelled, "cancelled"};

/// A callback that does not throw into the renderer; what is lost by it is one report.
template <class Call>
void quietly(const JobId& job, Call call) noexcept {
  (void)at_boundary(job, [&]() -> Status {
    call();
    return Done{};
  });
}

}  // namespace

Starter::Starter(const Settings& settings, Renderer& renderer, Assignments& in_hand, Reporter& reporter,
                 std::function<void()> rendered)
    : renderer_(renderer),
      in_hand_(in_hand),
      reporter_(reporter),
      rendered_(std::move(rendered)),
      ledger_(settings.redis),
      thread_([this] { run(); }) {}

Starter::~Starter() { close(); }

void Starter::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  ledger_.interrupt();
  if (thread_.joinable()) thread_.join();
}

void Starter::start(AssignmentPtr assignment) {
  if (!may_start_here(*assignment)) return push(std::move(assignment));
  Task task = std::move(assignment);
  handle(task);
}

bool Starter::may_start_here(const Assignment& assignment) {
  JobRequest request = assignment.claimed.request;
  if (request.refiner || !pictures_of(request).empty()) return false;
  const std::lock_guard lock(mutex_);
  return !working_ && tasks_.empty() && warm_.contains(request.model);
}

void Starter::load(std::string model) { push(Load{std::move(model)}); }
void Starter::unload(std::string model) { push(Unload{std::move(model)}); }

void Starter::push(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void Starter::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    working_ = false;
    changed_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (closing_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    working_ = true;
    lock.unlock();
    handle(task);
  }
}

void Starter::handle(Task& task) noexcept {
  if (const auto* assignment = std::get_if<AssignmentPtr>(&task)) {
    const JobId& job = (*assignment)->claimed.lease.job;
    const Status handed_over = at_boundary(job, [&] { return hand_over(*assignment); });
    if (!handed_over) quietly(job, [&] { reporter_.end(*assignment, handed_over.error()); });
    return;
  }
  const auto* to_load = std::get_if<Load>(&task);
  const auto* to_unload = std::get_if<Unload>(&task);
  const Status done = at_boundary(JobId("-"), [&]() -> Status {
    if (to_load != nullptr) return load_now(to_load->model);
    if (to_unload != nullptr) unload_now(to_unload->model);
    return Done{};
  });
  if (!done) spdlog::error("{}", to_string(done.error()));
}

Status Starter::hand_over(const AssignmentPtr& assignment) {
  const ledger::ClaimedJob& claimed = assignment->claimed;
  if (assignment->stopped() != Stop::none) return kStopped;

  pipeline::RenderJob job;
  job.model = claimed.request.model;
  job.request = claimed.request;
  for (const ImageInfo& image : claimed.images_done) job.done.push_back(image.index);
  if (job.done.size() == static_cast<std::size_t>(claimed.request.n)) {
    // The last attempt was lost between its last image and its end.
    reporter_.end(assignment, pipeline::RenderSummary{claimed.request});
    return Done{};
  }
  if (auto fetched = fetch_pictures(*assignment, job.request); !fetched) return fetched;
  if (auto loaded = load_now(job.model); !loaded) return loaded;
  if (job.request.refiner)
    if (auto loaded = load_now(job.request.refiner->model); !loaded) return loaded;
  if (assignment->stopped() != Stop::none) return kStopped;

  // The picture's text carries the job as it was admitted: references, not the bytes of other pictures.
  job.describe = [operation = claimed.request.operation,
                  controls = claimed.request.controls](const JobRequest& resolved) {
    JobRequest described = resolved;
    described.operation = operation;
    described.controls = controls;
    described.idempotency_key.reset();  // the queue's, and no part of the picture
    return codec::to_json(described);
  };
  const JobId id = claimed.lease.job;
  job.callbacks.progress = [this, assignment, id](int step, int total) {
    ++signs_;
    quietly(id, [&] { reporter_.progress(assignment, step, total); });
  };
  job.callbacks.preview = [this, assignment, id](pipeline::Preview preview) {
    ++signs_;
    quietly(id, [&] { reporter_.preview(assignment, std::move(preview)); });
  };
  job.callbacks.image = [this, assignment, id](pipeline::RenderedImage image) {
    ++signs_;
    quietly(id, [&] { reporter_.image(assignment, std::move(image)); });
  };
  job.callbacks.end = [this, assignment, id](Result<pipeline::RenderSummary> result) {
    ++signs_;
    assignment->rendered = result.has_value();
    quietly(id, [&] { reporter_.end(assignment, std::move(result)); });
    if (assignment->rendered) rendered_();
  };
  assignment->rendering(renderer_.render(std::move(job)), renderer_);
  return Done{};
}

Status Starter::load_now(const std::string& model) {
  auto loaded = renderer_.load(model);
  if (loaded) {
    const std::lock_guard lock(mutex_);
    warm_.insert(model);
  }
  if (loaded || loaded.error().code != ErrorCode::out_of_memory) return loaded;
  // Make room: models that no job in hand uses.
  for (const ModelInfo& other : renderer_.describe().models) {
    if (!other.loaded) continue;
    bool in_use = false;
    for (const auto& assignment : in_hand_.all()) {
      const std::string& used = assignment->claimed.request.model;
      in_use = in_use || used == other.name ||
               std::find(other.aliases.begin(), other.aliases.end(), used) != other.aliases.end();
    }
    if (in_use) continue;
    spdlog::info("unloading {} to make room for {}", other.name, model);
    unload_now(other.name);
  }
  return renderer_.load(model);
}

void Starter::unload_now(const std::string& model) {
  {
    // Under whichever of its names it is known there.
    const std::lock_guard lock(mutex_);
    warm_.clear();
  }
  renderer_.unload(model);
}

Status Starter::fetch_pictures(const Assignment& assignment, JobRequest& request) {
  for (auto& [path, picture] : pictures_of(request))
    if (auto fetched = fetch(assignment, *picture); !fetched) return fetched;
  return Done{};
}

Status Starter::fetch(const Assignment& assignment, PictureInput& picture) {
  if (!picture.is_reference()) return Done{};
  const BlobId id = std::get<BlobId>(picture.source);
  while (true) {
    auto bytes = ledger_.blob(id);
    if (bytes) {
      picture.source.emplace<0>(std::move(bytes).value());
      return Done{};
    }
    if (bytes.error().code != ErrorCode::unavailable) return std::move(bytes).error();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kRetryEvery, [this] { return closing_; })) return kStopped;
    if (assignment.stopped() != Stop::none) return kStopped;
  }
}

}  // namespace waggle::worker
