// What the worker's threads need to know; fixed from start to end. Flags and their texts are in options.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "schemas/ids.h"

namespace waggle::worker {

struct Settings {
  WorkerId id;
  std::string instance;  ///< of this process, so that a worker started again is told from its last life;
                         ///< drawn when empty
  std::string version;
  std::vector<bus::Endpoints> queens;
  std::optional<bus::Security> security;
  ledger::Options redis;
  ledger::Policy policy;
  int capacity = 1;    ///< jobs at once
  int max_joins = 32;  ///< jobs that may join a running batch before the queue's order counts again
  std::chrono::milliseconds idle_poll{1000};
  std::chrono::milliseconds heartbeat{2000};
  std::chrono::milliseconds registry_ttl{10'000};  ///< of the worker in the pool, after its last heartbeat
  std::chrono::milliseconds drain_timeout{60'000};
  std::chrono::duration<double> stall_floor{30}, stall_first{600};
  std::chrono::duration<double> attempt_base{900}, attempt_per_step{60};
  int breaker_limit = 5;
};

}  // namespace waggle::worker
