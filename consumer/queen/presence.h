// Which workers have gone without a word: those whose last connection to Redis was closed a moment ago. The
// kernel closes it when a process ends, however it ends, so a killed worker is missed long before its lease
// is over.
//
// Pure: who is connected and what time it is are given. A frozen worker or a cut network keep their
// connections, and are the lease's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"

namespace waggle::queen {

class Presence {
 public:
  using Clock = std::chrono::steady_clock;

  /// `grace`: how long a worker has for connecting again.
  explicit Presence(std::chrono::milliseconds grace) : grace_(grace) {}

  /// Those that were there, and have been missing for longer than the grace; each is named once. After a new
  /// session of our own everybody else may have lost his connection too: nobody is missed until he has been
  /// seen again.
  std::vector<std::string> missing(const ledger::Connected& connected, Clock::time_point now);

 private:
  const std::chrono::milliseconds grace_;
  std::uint64_t session_ = 0;
  std::map<std::string, std::optional<Clock::time_point>> known_;  ///< missed since; absent: connected
};

}  // namespace waggle::queen
