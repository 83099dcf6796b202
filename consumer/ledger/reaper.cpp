// What queens do: hold the reaper's lock, reap, and look who is gone.
#include <algorithm>

#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"
#include "schemas/codec/msgpack.h"

namespace waggle::ledger {

Result<bool> Ledger::hold_reaper_lock(std::string_view queen, std::chrono::milliseconds ttl) {
  auto answer = impl_->redis.run(scripts::hold_lock, {"reaper", queen, in_ms(ttl)});
  if (!answer) return std::move(answer).error();
  return answer->number() == 1;
}

Result<Reaping> Ledger::reap(const Policy& policy, int limit) {
  const PolicyText text(policy);
  const Error lost{ErrorCode::worker_lost, "the worker vanished"};
  const Error late{ErrorCode::deadline_exceeded, "the job's deadline passed"};
  auto answer = impl_->redis.run(
      scripts::reap,
      {std::to_string(limit), text.job_ttl, text.image_ttl, text.backoff_first, text.backoff_max, text.lease,
       std::to_string(policy.max_image_bytes), codec::to_msgpack(lost), codec::to_msgpack(late)});
  if (!answer) return std::move(answer).error();
  Reaping round;
  round.more = answer->at(0).number() != 0;
  for (const Value& row : answer->at(1).items) {
    const JobId id(row.at(0).text);
    auto event = read_event(id, row.at(2));
    if (!event) return std::move(event).error();
    round.reaped.push_back({id, row.at(1).text, std::move(event).value()});
  }
  return round;
}

Result<Connected> Ledger::connected() {
  auto answer = impl_->redis.command({"CLIENT", "LIST", "TYPE", "normal"});
  if (!answer) return std::move(answer).error();
  Connected found{impl_->redis.session(), {}};
  const std::string mark = " name=" + connection_name(impl_->redis.options().prefix, "");
  const std::string_view list = answer->text;
  for (std::size_t at = list.find(mark); at != std::string_view::npos; at = list.find(mark, at)) {
    at += mark.size();
    found.workers.emplace_back(list.substr(at, list.find_first_of(" \n", at) - at));
  }
  std::ranges::sort(found.workers);
  // Not std::ranges::unique: older clangs cannot take libstdc++'s subranges.
  found.workers.erase(std::unique(found.workers.begin(), found.workers.end()), found.workers.end());
  return found;
}

Result<std::vector<std::string>> Ledger::holders() {
  auto answer = impl_->redis.run(scripts::holders, {});
  if (!answer) return std::move(answer).error();
  std::vector<std::string> workers;
  for (const Value& worker : answer->items) workers.push_back(worker.text);
  return workers;
}

Result<std::int64_t> Ledger::vanish(const std::vector<std::string>& workers) {
  if (workers.empty()) return 0;
  auto answer = impl_->redis.run(scripts::vanish, {workers.begin(), workers.end()});
  if (!answer) return std::move(answer).error();
  return answer->number();
}

}  // namespace waggle::ledger
