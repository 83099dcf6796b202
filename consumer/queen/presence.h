// Which workers have gone without a word: those that hold leases and have no connection to Redis. The kernel
// closes it when a process ends, however it ends, so a killed worker is missed long before its lease is over.
// It need not have been seen before: a queen that takes over from a dead one misses those that died with it.
//
// Pure: who holds leases, who is connected and what time it is are given. A frozen worker or a cut network
// keep their connections, and are the lease's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"

namespace waggle::queen {

class Presence {
 public:
  using Clock = std::chrono::steady_clock;

  /// `grace`: how long a worker has for connecting again.
  explicit Presence(std::chrono::milliseconds grace) : grace_(grace) {}

  /// Those of the holders that have been without a connection for as long as the grace. After a new session
  /// of our own everybody else may have lost his connection too: then they have three times as long.
  std::vector<std::string> missing(const std::vector<std::string>& holders,
                                   const ledger::Connected& connected, Clock::time_point now);

 private:
  const std::chrono::milliseconds grace_;
  std::uint64_t session_ = 0;
  Clock::time_point session_settles_{};
  std::map<std::string, Clock::time_point> missed_since_;
};

}  // namespace waggle::queen
