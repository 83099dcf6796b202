// Where a run stands, as numbers: what is done, how fast, and who works on what. The clock is handed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace waggle::cli::batch {

class Tally {
 public:
  using Clock = std::chrono::steady_clock;

  struct InHand {
    std::string worker;  ///< empty: it waits
    int step = 0, total = 0;
    std::string prompt;
  };

  /// `done` and `failed` are jobs that earlier sessions ended.
  Tally(std::size_t jobs, std::size_t done, std::size_t failed) : jobs_(jobs), done_(done), failed_(failed) {}

  void submitted(std::size_t index, std::string prompt);
  void started(std::size_t index, std::string worker);
  void progressed(std::size_t index, int step, int total);
  void picture() { ++pictures_; }
  void completed(std::size_t index, Clock::time_point now);
  void failed(std::size_t index, Clock::time_point now);
  /// No longer in hand, and neither done nor failed.
  void dropped(std::size_t index) { in_hand_.erase(index); }
  void waits_for(std::string why) { waits_for_ = std::move(why); }

  [[nodiscard]] std::size_t jobs() const { return jobs_; }
  [[nodiscard]] std::size_t done() const { return done_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  [[nodiscard]] std::size_t pictures() const { return pictures_; }  ///< of this session
  [[nodiscard]] const std::map<std::size_t, InHand>& in_hand() const { return in_hand_; }
  [[nodiscard]] const std::string& waits_for() const { return waits_for_; }
  /// Jobs a second over the last minute or so; nothing before two have ended.
  [[nodiscard]] std::optional<double> jobs_per_s(Clock::time_point now) const;
  /// Seconds to the end.
  [[nodiscard]] std::optional<double> eta_s(Clock::time_point now) const;

 private:
  void ended(std::size_t index, Clock::time_point now);

  std::size_t jobs_, done_, failed_, pictures_ = 0;
  std::map<std::size_t, InHand> in_hand_;
  std::deque<Clock::time_point> recent_;  ///< ends of jobs
  std::string waits_for_;
};

}  // namespace waggle::cli::batch
