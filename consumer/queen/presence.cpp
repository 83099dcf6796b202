// The comparison of one look with the looks before.
#include "consumer/queen/presence.h"

#include <algorithm>

namespace waggle::queen {

std::vector<std::string> Presence::missing(const std::vector<std::string>& holders,
                                           const ledger::Connected& connected, Clock::time_point now) {
  if (connected.session != session_) {
    session_ = connected.session;
    session_settles_ = now + 2 * grace_;
    missed_since_.clear();
  }
  std::map<std::string, Clock::time_point> missed;
  std::vector<std::string> gone;
  for (const std::string& worker : holders) {
    if (std::ranges::binary_search(connected.workers, worker)) continue;
    const auto before = missed_since_.find(worker);
    const auto since = before != missed_since_.end() ? before->second : std::max(now, session_settles_);
    missed.emplace(worker, since);
    if (now - since >= grace_) gone.push_back(worker);
  }
  missed_since_ = std::move(missed);
  return gone;
}

}  // namespace waggle::queen
