// Renewals, heartbeats and clocks on one thread.
#include "consumer/worker/keeper.h"

#include <algorithm>
#include <exception>

#include <spdlog/spdlog.h>

#include "consumer/bus/topics.h"
#include "consumer/program/queens.h"
#include "schemas/codec/msgpack.h"

namespace waggle::worker {

using namespace std::chrono_literals;

namespace {

constexpr auto kRenewAgain = 300ms;  // while Redis does not answer
// With jobs in hand: a queen takes a worker without a connection to Redis for dead.
constexpr auto kTouchEvery = 500ms;
constexpr auto kFarewell = 500ms;

/// Renewals are small, and late ones are worth little.
ledger::Options impatient(ledger::Options options) {
  options.connect_timeout = std::min(options.connect_timeout, std::chrono::milliseconds(500));
  options.command_timeout = std::min(options.command_timeout, std::chrono::milliseconds(1500));
  return options;
}

}  // namespace

Keeper::Keeper(const Settings& settings, bus::Context& context, Renderer& renderer, Assignments& in_hand,
               Hooks hooks)
    : settings_(settings),
      renderer_(renderer),
      in_hand_(in_hand),
      hooks_(std::move(hooks)),
      ledger_(impatient(settings.redis)),
      publisher_(context, program::each(settings.queens, &bus::Endpoints::collect)),
      wedge_clock_(settings.stall_floor, settings.stall_first),
      thread_([this] { run(); }) {}

Keeper::~Keeper() { leave(); }

void Keeper::leave() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kFarewell, [this] { return gone_; })) ledger_.interrupt();
  }
  thread_.join();
}

void Keeper::beat_now() {
  {
    const std::lock_guard lock(mutex_);
    beat_asked_ = true;
  }
  changed_.notify_all();
}

void Keeper::run() {
  const auto renew_every = settings_.policy.lease / 3;
  const auto watch_every =
      std::chrono::duration_cast<Clock::duration>(std::min(Seconds(1), settings_.stall_floor / 4));
  Clock::time_point next_renewal{}, next_beat{}, next_watch{}, next_touch{};
  while (true) {
    bool beat_asked = false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, std::min({next_renewal, next_beat, next_watch, next_touch}),
                          [this] { return closing_ || beat_asked_; });
      if (closing_) break;
      beat_asked = std::exchange(beat_asked_, false);
    }
    try {
      const auto now = Clock::now();
      if (now >= next_renewal) {
        const bool answered = renew();
        next_renewal = now + (answered ? renew_every : std::min<Clock::duration>(renew_every, kRenewAgain));
      }
      if (now >= next_touch) {
        next_touch = now + kTouchEvery;
        if (in_hand_.size() > 0) (void)ledger_.ping();
      }
      if (now >= next_beat || beat_asked) {
        next_beat = now + settings_.heartbeat;
        beat();
      }
      if (now >= next_watch) {
        next_watch = now + watch_every;
        watch_attempts();
        if (device_hangs()) {
          farewell();
          hooks_.wedged();
          return;
        }
      }
    } catch (const std::exception& error) {
      spdlog::error("keeping leases: {}", error.what());
    }
  }
  farewell();
  const std::lock_guard lock(mutex_);
  gone_ = true;
  changed_.notify_all();
}

bool Keeper::renew() {
  const auto in_hand = in_hand_.all();
  std::vector<ledger::Lease> leases;
  for (const auto& assignment : in_hand) {
    if (assignment->stopped() != Stop::lost) leases.push_back(assignment->claimed.lease);
  }
  if (leases.empty()) return true;
  const auto outcome = ledger_.renew(leases, settings_.policy);
  if (outcome.has_value() != redis_answers_) {
    redis_answers_ = outcome.has_value();
    redis_answers_ ? spdlog::info("Redis answers again")
                   : spdlog::error("leases: {}", to_string(outcome.error()));
  }
  if (!outcome) return false;  // the jobs go on: the leases may still stand when Redis is back
  // Only what was asked for: a job may be in hand again by now, as another attempt.
  for (const auto& assignment : in_hand) {
    const JobId& job = assignment->claimed.lease.job;
    if (std::ranges::count(outcome->cancel_requested, job) > 0) assignment->stop(Stop::cancelled, renderer_);
    // One that ended while it was being renewed has no lease either.
    if (assignment->ending || std::ranges::count(outcome->lost, job) == 0) continue;
    spdlog::warn("job {}: the lease is lost, its result will be dropped", job.value);
    assignment->stop(Stop::lost, renderer_);
  }
  return true;
}

void Keeper::beat() {
  const WorkerInfo info = hooks_.describe();
  publisher_.send(bus::workers_topic(info.id), codec::to_msgpack(info));
  if (const auto put = ledger_.put_worker(info, settings_.registry_ttl); !put) {
    spdlog::debug("heartbeat: {}", to_string(put.error()));
  }
}

void Keeper::watch_attempts() {
  const auto now = Clock::now();
  for (const auto& assignment : in_hand_.all()) {
    const auto limit =
        attempt_limit(assignment->claimed.request, settings_.attempt_base, settings_.attempt_per_step);
    if (now - assignment->claimed_at > limit && assignment->stopped() == Stop::none) {
      spdlog::error("job {}: stopped, the attempt took more than {:.0f} s",
                    assignment->claimed.lease.job.value, limit.count());
      assignment->stop(Stop::stalled, renderer_);
    }
  }
}

bool Keeper::device_hangs() {
  if (!wedge_clock_.wedged(Clock::now(), renderer_.stats(), hooks_.signs())) return false;
  spdlog::critical("no denoising step for too long: the device hangs, {} jobs are let go", in_hand_.size());
  for (const auto& assignment : in_hand_.all()) {
    Event event;
    event.job = assignment->claimed.lease.job;
    event.attempt = assignment->claimed.lease.attempt;
    event.body = FailedEvent{Error{ErrorCode::stalled, "the worker's device hangs"}};
    // Unanswered, the lease runs out by itself.
    const auto outcome = ledger_.finish(assignment->claimed.lease, event, settings_.policy);
    if (outcome && *outcome != ledger::FinishOutcome::refused) {
      publisher_.send(bus::events_topic(event.job), codec::to_msgpack(event));
    }
  }
  return true;
}

void Keeper::farewell() {
  try {
    WorkerInfo info = hooks_.describe();
    info.state = WorkerState::stopped;
    publisher_.send(bus::workers_topic(info.id), codec::to_msgpack(info));
    if (const auto removed = ledger_.remove_worker(settings_.id); !removed) {
      spdlog::warn("leaving the pool: {}", to_string(removed.error()));
    }
  } catch (const std::exception& error) {
    spdlog::error("leaving the pool: {}", error.what());
  }
}

}  // namespace waggle::worker
