// The Ledger's life, its clock and its figures.
#include "consumer/ledger/ledger.h"

#include "consumer/ledger/implementation.h"

namespace waggle::ledger {

Ledger::Ledger(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Ledger::~Ledger() = default;
Ledger::Ledger(Ledger&&) noexcept = default;
Ledger& Ledger::operator=(Ledger&&) noexcept = default;

Status Ledger::ping() {
  auto answer = impl_->redis.command({"PING"});
  if (!answer) return std::move(answer).error();
  return Done{};
}

Result<std::int64_t> Ledger::now_ms() {
  auto answer = impl_->redis.command({"TIME"});
  if (!answer) return std::move(answer).error();
  return answer->at(0).number() * 1000 + answer->at(1).number() / 1000;
}

Result<StatsReply> Ledger::stats() {
  auto answer = impl_->redis.run(scripts::stats, {});
  if (!answer) return std::move(answer).error();
  StatsReply stats;
  std::size_t i = 0;
  for (std::int64_t* count : {&stats.queued, &stats.running, &stats.completed, &stats.failed,
                              &stats.cancelled, &stats.expired, &stats.dead, &stats.workers}) {
    *count = answer->at(i++).number();
  }
  return stats;
}

}  // namespace waggle::ledger
