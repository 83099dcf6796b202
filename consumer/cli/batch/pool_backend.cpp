// Submissions in bulk; looks at jobs when a hint says so and once a second anyway.
#include "consumer/cli/batch/pool_backend.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "consumer/bus/topics.h"
#include "schemas/codec/msgpack.h"
#include "schemas/pictures.h"

namespace waggle::cli::batch {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPoll = 1s, kTryAgain = 300ms;
constexpr double kShortestRetry = 0.05, kLongestRetry = 30;  ///< seconds, whatever a full queue asks for
constexpr std::size_t kMostAtOnce = 100;                     ///< jobs of one message
constexpr std::size_t kMostPictureBytes = 24u << 20;         ///< of one message; a single job may exceed it

std::size_t picture_bytes(const JobRequest& request) {
  std::size_t bytes = 0;
  for (const auto& [path, picture] : pictures_of(request)) {
    if (!picture->is_reference()) bytes += std::get<std::string>(picture->source).size();
  }
  return bytes;
}

}  // namespace

PoolBackend::PoolBackend(Hive& hive, std::chrono::milliseconds patience)
    : hive_(hive), patience_(patience), hints_(hive.hints()) {}

void PoolBackend::submit(Task task) { waiting_.push_back(std::move(task)); }

Result<std::vector<Happening>> PoolBackend::wait(std::chrono::milliseconds timeout) {
  if (!waiting_.empty() && Clock::now() >= submit_again_) {
    if (auto submitted = submit_waiting(); !submitted) return submitted.error();
  }
  receive_hints(happenings_.empty() ? timeout : 0ms);
  look_at_jobs();
  if (away_since_ && Clock::now() - *away_since_ > patience_)
    return Error{ErrorCode::unavailable, "neither queen nor Redis came back in time"};
  return std::exchange(happenings_, {});
}

Status PoolBackend::submit_waiting() {
  SubmitManyRequest request;
  std::size_t bytes = 0;
  for (const Task& task : waiting_) {
    bytes += picture_bytes(task.request);
    if (!request.jobs.empty() && (request.jobs.size() == kMostAtOnce || bytes > kMostPictureBytes)) break;
    request.jobs.push_back(task.request);
  }
  const std::size_t count = request.jobs.size();
  // Sent again after a silence: the keys see to it that no job is made twice.
  auto reply = hive_.ask(std::move(request));
  if (!reply) {
    const bool passes = reply.error().code == ErrorCode::unavailable;
    if (!passes) return reply.error();
    away(reply.error());
    submit_again_ = Clock::now() + kTryAgain;
    return Done{};
  }
  const auto* answers = std::get_if<AcceptedMany>(&reply->body);
  if (answers == nullptr || answers->results.size() != count)
    return Error{ErrorCode::unknown_type, "the queen answered submit_many with something else"};
  return take_answers(*answers, count);
}

Status PoolBackend::take_answers(const AcceptedMany& answers, std::size_t count) {
  std::deque<Task> refused;
  std::optional<Error> no_redis;
  for (std::size_t i = 0; i < count; ++i) {
    Task task = std::move(waiting_.front());
    waiting_.pop_front();
    if (const auto* accepted = std::get_if<Accepted>(&answers.results[i])) {
      accepted_any_ = true;
      hints_->subscribe(bus::events_topic(accepted->job));
      in_hand_[accepted->job] = {task.index, {task.written.begin(), task.written.end()}, accepted->duplicate};
      continue;
    }
    const Error& error = std::get<Rejected>(answers.results[i]).error;
    switch (error.code) {
      case ErrorCode::unavailable:
        no_redis = error;
        [[fallthrough]];
      case ErrorCode::queue_full:
      case ErrorCode::rate_limited: {
        const double seconds = std::clamp(error.retry_after_s.value_or(1), kShortestRetry, kLongestRetry);
        submit_again_ = Clock::now() + std::chrono::milliseconds(static_cast<int>(1000 * seconds));
        refused.push_back(std::move(task));
        break;
      }
      case ErrorCode::unknown_model:
      case ErrorCode::unauthorized:
        if (!accepted_any_) return error;
        [[fallthrough]];
      default:
        happenings_.push_back(Failed{task.index, "", error});
    }
  }
  waiting_.insert(waiting_.begin(), std::make_move_iterator(refused.begin()),
                  std::make_move_iterator(refused.end()));
  no_redis ? away(*no_redis) : back();
  const bool full = !refused.empty() && !no_redis;
  if (full != told_waiting_) happenings_.push_back(Waiting{full ? "the queue is full" : ""});
  told_waiting_ = full;
  return Done{};
}

void PoolBackend::receive_hints(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  bool ended = false;
  for (auto left = timeout; auto hint = hints_->receive(ended ? 0ms : left);) {
    left = std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()));
    auto event = codec::from_msgpack<Event>(hint->payload);
    const auto found = event ? in_hand_.find(event->job) : in_hand_.end();
    if (found == in_hand_.end()) continue;
    InHand& job = found->second;
    if (const auto* started = std::get_if<StartedEvent>(&event->body)) {
      job.attempt = event->attempt;
      happenings_.push_back(Started{job.index, started->worker.value});
    } else if (const auto* progress = std::get_if<ProgressEvent>(&event->body)) {
      happenings_.push_back(Progressed{job.index, progress->step, progress->total});
    } else if (is_terminal(event->body)) {
      job.look = ended = true;
    }
  }
}

void PoolBackend::look_at_jobs() {
  const auto now = Clock::now();
  const bool all = now >= look_again_;
  if (all) look_again_ = now + kPoll;
  for (auto at = in_hand_.begin(); at != in_hand_.end();) {
    const auto here = at++;
    if (!here->second.look && !all) continue;
    auto ended = look(here->first, here->second);
    if (!ended) {
      away(ended.error());
      return;  // the others would wait for the same silence
    }
    here->second.look = false;
    if (!*ended) continue;
    hints_->unsubscribe(bus::events_topic(here->first));
    in_hand_.erase(here);
  }
  if (all && waiting_.empty()) back();
}

Result<bool> PoolBackend::look(const JobId& id, InHand& job) {
  auto status = hive_.ledger().status(id);
  if (!status) {
    if (status.error().code == ErrorCode::unavailable) return status.error();
    happenings_.push_back(Lost{job.index});
    return true;
  }
  const std::string worker = status->worker ? status->worker->value : std::string();
  if (status->state == JobState::running) {
    if (status->attempt != job.attempt) happenings_.push_back(Started{job.index, worker});
    if (status->step != job.step)
      happenings_.push_back(Progressed{job.index, status->step, status->total_steps});
    job.attempt = status->attempt;
    job.step = status->step;
  }
  auto there = bring_pictures(*status, job);
  if (!there) return there.error();
  switch (status->state) {
    case JobState::queued:
    case JobState::running:
      return false;
    case JobState::completed: {
      if (!*there) {
        happenings_.push_back(Lost{job.index});
        return true;
      }
      const auto begin = status->started_at_ms, end = status->finished_at_ms;
      happenings_.push_back(
          Completed{job.index, worker, begin && end ? static_cast<double>(*end - *begin) / 1000 : 0});
      return true;
    }
    case JobState::cancelled:
      if (stopping_) {
        happenings_.push_back(Cancelled{job.index});
      } else if (job.was_known) {
        happenings_.push_back(Lost{job.index});
      } else {
        happenings_.push_back(
            Failed{job.index, worker, {ErrorCode::cancelled, "somebody cancelled the job"}});
      }
      return true;
    case JobState::failed:
    case JobState::expired:
    case JobState::dead:
      happenings_.push_back(
          Failed{job.index, worker,
                 status->error.value_or(Error{ErrorCode::deadline_exceeded, "its deadline passed"})});
      return true;
  }
  return true;
}

/// Whether all that the status lists could be brought. Errors: unavailable.
Result<bool> PoolBackend::bring_pictures(const JobStatus& status, InHand& job) {
  for (const ImageInfo& image : status.images) {
    if (job.brought.contains(image.index)) continue;
    auto bytes = hive_.ledger().image(status.id, image.index);
    if (!bytes && bytes.error().code == ErrorCode::unavailable) return bytes.error();
    if (!bytes) return false;
    job.brought.insert(image.index);
    happenings_.push_back(Picture{job.index, image, std::move(bytes).value()});
  }
  return true;
}

void PoolBackend::stop() {
  stopping_ = true;
  for (const Task& task : std::exchange(waiting_, {})) happenings_.push_back(Cancelled{task.index});
  for (auto& [id, job] : in_hand_) {
    auto reply = hive_.ask(CancelRequest{id});
    if (!reply && reply.error().code == ErrorCode::unavailable) return;
    job.look = true;
  }
}

void PoolBackend::away(const Error& error) {
  if (away_since_) return;
  away_since_ = Clock::now();
  happenings_.push_back(Waiting{"waiting for the queue: " + error.message});
}

void PoolBackend::back() {
  if (!away_since_) return;
  away_since_.reset();
  happenings_.push_back(Waiting{});
}

}  // namespace waggle::cli::batch
