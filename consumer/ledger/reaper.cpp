// What queens do: hold the reaper's lock and reap.
#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"
#include "schemas/codec/msgpack.h"

namespace waggle::ledger {

Result<bool> Ledger::hold_reaper_lock(std::string_view queen, std::chrono::milliseconds ttl) {
  auto answer = impl_->redis.run(scripts::hold_lock, {"reaper", queen, in_ms(ttl)});
  if (!answer) return std::move(answer).error();
  return answer->number() == 1;
}

Result<std::vector<Reaped>> Ledger::reap(const Policy& policy, int limit) {
  const PolicyText text(policy);
  const Error lost{ErrorCode::worker_lost, "the worker vanished"};
  const Error late{ErrorCode::deadline_exceeded, "the job's deadline passed"};
  auto answer = impl_->redis.run(scripts::reap, {std::to_string(limit), text.job_ttl, text.image_ttl,
                                                 text.max_events, text.backoff_first, text.backoff_max,
                                                 codec::to_msgpack(lost), codec::to_msgpack(late)});
  if (!answer) return std::move(answer).error();
  std::vector<Reaped> reaped;
  for (const Value& row : answer->items) {
    const JobId id(row.at(0).text);
    auto event = read_event(id, row.at(2));
    if (!event) return std::move(event).error();
    reaped.push_back({id, row.at(1).text, std::move(event).value()});
  }
  return reaped;
}

}  // namespace waggle::ledger
