// What the parts of the Ledger share: its connection, and numbers as the scripts read them. Private.
#pragma once

#include <string>

#include "consumer/ledger/connection.h"
#include "consumer/ledger/ledger.h"

namespace waggle::ledger {

struct Ledger::Impl {
  explicit Impl(Options options) : redis(std::move(options)) {}
  Connection redis;
};

/// A time of the policy in milliseconds. Redis refuses a lifetime of 0.
template <class Duration>
std::string in_ms(Duration time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  return std::to_string(ms < 1 ? 1 : ms);
}

/// "the queue is full: ...", with the limit that was reached. `limit`: "jobs" or "bytes".
Error queue_full(std::string_view limit, const Policy& policy);

/// The policy's numbers as text, alive as long as the call that passes them on.
struct PolicyText {
  explicit PolicyText(const Policy& policy)
      : lease(in_ms(policy.lease)),
        max_bytes(std::to_string(policy.max_queued_bytes)),
        job_ttl(in_ms(policy.job_ttl)),
        image_ttl(in_ms(policy.image_ttl)),
        max_events(std::to_string(policy.max_events_per_job < 1 ? 1 : policy.max_events_per_job)),
        backoff_first(std::to_string(policy.backoff_first.count())),
        backoff_max(std::to_string(policy.backoff_max.count())) {}
  std::string lease, max_bytes, job_ttl, image_ttl, max_events, backoff_first, backoff_max;
};

}  // namespace waggle::ledger
