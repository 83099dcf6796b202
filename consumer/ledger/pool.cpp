// The registry of workers. An entry that is not renewed vanishes by itself.
#include "consumer/ledger/implementation.h"
#include "schemas/codec/msgpack.h"

namespace waggle::ledger {

Status Ledger::put_worker(const WorkerInfo& info, std::chrono::milliseconds ttl) {
  auto answer = impl_->redis.run(scripts::put_worker, {info.id.value, codec::to_msgpack(info), in_ms(ttl)});
  if (!answer) return std::move(answer).error();
  return Done{};
}

Status Ledger::remove_worker(const WorkerId& id) {
  // The entry's bytes decide who is listed; the index forgets by its time.
  auto answer = impl_->redis.command({"DEL", impl_->redis.options().prefix + "worker:" + id.value});
  if (!answer) return std::move(answer).error();
  auto indexed = impl_->redis.command({"ZREM", impl_->redis.options().prefix + "workers", id.value});
  if (!indexed) return std::move(indexed).error();
  return Done{};
}

Result<std::vector<WorkerInfo>> Ledger::workers() {
  auto answer = impl_->redis.run(scripts::workers, {});
  if (!answer) return std::move(answer).error();
  std::vector<WorkerInfo> workers;
  for (const Value& bytes : answer->items) {
    // A worker of a newer version that this program cannot read is no reason to hide the others.
    if (auto info = codec::from_msgpack<WorkerInfo>(bytes.text)) workers.push_back(std::move(info).value());
  }
  return workers;
}

}  // namespace waggle::ledger
