// A job in this worker's hands: the claim, and the one reason, if any, for which it is to stop. The table of
// them is what the worker's threads share.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "consumer/worker/renderer.h"

namespace waggle::worker {

enum class Stop : std::uint8_t {
  none,
  cancelled,  ///< somebody asked for it
  lost,       ///< the lease is gone: whatever comes out is dropped
  released,   ///< a drain hands the job back
  stalled,    ///< the attempt took too long
};

class Assignment {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Assignment(ledger::ClaimedJob job);

  const ledger::ClaimedJob claimed;
  const Clock::time_point claimed_at;

  /// Only the first reason counts. Stops the rendering, or keeps it from being started.
  void stop(Stop reason, Renderer& renderer);
  [[nodiscard]] Stop stopped() const;
  /// The renderer has taken it under this ticket.
  void rendering(pipeline::Ticket ticket, Renderer& renderer);

  /// All of it has been rendered; what is left is to record it.
  std::atomic<bool> rendered{false};
  /// Its end is on its way into the record, whose answer will say whether the lease still stood.
  std::atomic<bool> ending{false};

  // Of the reporter's thread alone:
  std::vector<ImageInfo> images;                      ///< committed, earlier attempts' included
  std::optional<pipeline::RenderedImage> last_image;  ///< the only one missing; goes with the end
  std::optional<Error> commit_error;                  ///< an image could not be stored
  bool ended = false;                                 ///< nothing more is reported

 private:
  mutable std::mutex mutex_;
  Stop stop_ = Stop::none;
  std::optional<pipeline::Ticket> ticket_;
};

using AssignmentPtr = std::shared_ptr<Assignment>;

/// The jobs in hand. Thread-safe.
class Assignments {
 public:
  void add(AssignmentPtr assignment);
  void remove(const AssignmentPtr& assignment);
  [[nodiscard]] std::vector<AssignmentPtr> all() const;
  [[nodiscard]] std::size_t size() const;
  /// Stops every attempt of the job that is in hand.
  void stop(const JobId& job, Stop reason, Renderer& renderer);

 private:
  mutable std::mutex mutex_;
  std::vector<AssignmentPtr> assignments_;
};

}  // namespace waggle::worker
