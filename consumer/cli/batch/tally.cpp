// Counting.
#include "consumer/cli/batch/tally.h"

#include <utility>

namespace waggle::cli::batch {

namespace {
using namespace std::chrono_literals;
constexpr auto kRecently = 60s;
constexpr std::size_t kFewest =
    20;  ///< ends that are kept however long ago they were: slow jobs have a rate too
}  // namespace

void Tally::submitted(std::size_t index, std::string prompt) {
  in_hand_[index] = {"", 0, 0, std::move(prompt)};
}

void Tally::started(std::size_t index, std::string worker) {
  const auto found = in_hand_.find(index);
  if (found == in_hand_.end()) return;
  found->second.worker = std::move(worker);
  found->second.step = 0;  // another attempt begins anew
}

void Tally::progressed(std::size_t index, int step, int total) {
  const auto found = in_hand_.find(index);
  if (found == in_hand_.end()) return;
  found->second.step = step;
  found->second.total = total;
}

void Tally::ended(std::size_t index, Clock::time_point now) {
  in_hand_.erase(index);
  recent_.push_back(now);
  while (recent_.size() > kFewest && now - recent_.front() > kRecently) recent_.pop_front();
}

void Tally::completed(std::size_t index, Clock::time_point now) {
  ++done_;
  ended(index, now);
}

void Tally::failed(std::size_t index, Clock::time_point now) {
  ++failed_;
  ended(index, now);
}

std::optional<double> Tally::jobs_per_s(Clock::time_point now) const {
  if (recent_.size() < 2) return std::nullopt;
  // Up to now, not up to the last end: a pool that stands still slows down.
  const double seconds = std::chrono::duration<double>(now - recent_.front()).count();
  if (seconds <= 0) return std::nullopt;
  return static_cast<double>(recent_.size() - 1) / seconds;
}

std::optional<double> Tally::eta_s(Clock::time_point now) const {
  const auto rate = jobs_per_s(now);
  const std::size_t ended = done_ + failed_;
  if (!rate || ended > jobs_) return std::nullopt;
  return static_cast<double>(jobs_ - ended) / *rate;
}

}  // namespace waggle::cli::batch
