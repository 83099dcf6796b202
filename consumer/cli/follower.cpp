// The loop of hints and reads.
#include "consumer/cli/follower.h"

#include <algorithm>
#include <utility>

namespace waggle::cli {

namespace {
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
constexpr auto kPoll = 1s;  ///< hints are allowed to be lost
}  // namespace

Follower::Follower(Hive& hive, JobId job) : hive_(hive), job_(std::move(job)), hints_(hive.hints(job_)) {}

Status Follower::read_log() {
  // Hints that came until now are answered by the read that follows.
  while (hints_->receive(0ms)) {
  }
  read_again_ = Clock::now() + kPoll;
  auto page = hive_.ledger().events(job_, after_);
  if (!page) return page.error();
  for (Event& event : page->events) {
    after_ = event.id;
    waiting_.push_back(std::move(event));
  }
  return Done{};
}

Result<std::optional<Event>> Follower::next(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    if (!waiting_.empty()) {
      std::optional<Event> event(std::move(waiting_.front()));
      waiting_.pop_front();
      return event;
    }
    const auto now = Clock::now();
    bool look = now >= read_again_;
    if (!look) {
      if (now >= deadline) return std::optional<Event>();
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min(deadline, read_again_) - now);
      look = hints_->receive(wait).has_value();
    }
    if (look) {
      if (auto read = read_log(); !read) return read.error();
    }
  }
}

}  // namespace waggle::cli
