// The comparison of one look with the looks before.
#include "consumer/queen/presence.h"

#include <algorithm>

namespace waggle::queen {

std::vector<std::string> Presence::missing(const ledger::Connected& connected, Clock::time_point now) {
  if (connected.session != session_) known_.clear();
  session_ = connected.session;
  for (const std::string& worker : connected.workers) known_[worker].reset();
  std::vector<std::string> gone;
  for (auto& [worker, missed_since] : known_) {
    if (std::ranges::binary_search(connected.workers, worker)) continue;
    if (!missed_since) missed_since = now;
    if (now - *missed_since > grace_) gone.push_back(worker);
  }
  for (const std::string& worker : gone) known_.erase(worker);
  return gone;
}

}  // namespace waggle::queen
