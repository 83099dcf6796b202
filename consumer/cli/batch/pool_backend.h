// A run's jobs in the pool: submitted through a queen, followed by hints and, since hints may be lost, by the
// ledger. Outlives restarts of both.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "consumer/cli/batch/backend.h"
#include "consumer/cli/hive.h"

namespace waggle::cli::batch {

class PoolBackend final : public Backend {
 public:
  /// `patience`: how long the queue may be away before the run ends, to be resumed.
  PoolBackend(Hive& hive, std::chrono::milliseconds patience);

  void submit(Task task) override;
  /// Errors: unavailable when patience is used up; unknown_model and unauthorized when that is the answer to
  /// the very first jobs, since it will be the answer to all.
  Result<std::vector<Happening>> wait(std::chrono::milliseconds timeout) override;
  void stop() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct InHand {
    std::size_t index = 0;
    std::set<int> brought;   ///< images
    bool was_known = false;  ///< an earlier session had submitted it
    bool look = true;        ///< something happened to it
    int attempt = 0, step = 0;
  };

  Status submit_waiting();
  Status take_answers(const AcceptedMany& answers, std::size_t count);
  void receive_hints(std::chrono::milliseconds timeout);
  void look_at_jobs();
  /// Whether the job has ended. Errors: unavailable.
  Result<bool> look(const JobId& id, InHand& job);
  Result<bool> bring_pictures(const JobStatus& status, InHand& job);
  void away(const Error& error);
  void back();

  Hive& hive_;
  const std::chrono::milliseconds patience_;
  std::unique_ptr<bus::Subscriber> hints_;
  std::deque<Task> waiting_;
  std::map<JobId, InHand> in_hand_;
  std::vector<Happening> happenings_;
  bool accepted_any_ = false, stopping_ = false, told_waiting_ = false;
  Clock::time_point submit_again_{}, look_again_{};
  std::optional<Clock::time_point> away_since_;
};

}  // namespace waggle::cli::batch
