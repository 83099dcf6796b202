// The pool of workers as the registry knows it, kept for a moment so that a submit costs no look-up of its
// own.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "schemas/message.h"

namespace waggle::queen {

class Pool {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Pool(ledger::Ledger& ledger) : ledger_(ledger) {}

  /// The workers, at most `age` old. Errors: unavailable.
  Result<const std::vector<WorkerInfo>*> workers(std::chrono::milliseconds age);

 private:
  ledger::Ledger& ledger_;
  std::vector<WorkerInfo> workers_;
  Clock::time_point read_at_{};
};

/// Whether the worker serves the model under this name or alias.
bool serves(const WorkerInfo& worker, std::string_view model);

/// The models of these workers, by name; each with everyone who serves it.
std::vector<PoolModel> models_of(const std::vector<WorkerInfo>& workers);
/// Each name once, in order.
AdapterLists adapters_of(const std::vector<WorkerInfo>& workers);

/// Whether these workers can run the request: its worker, model, sampler and schedule exist. An empty pool
/// can say nothing and lets everything pass. Errors: unknown_worker, unknown_model (naming the known ones),
/// unknown_sampler.
Status check_pool(const JobRequest& request, const std::vector<WorkerInfo>& workers,
                  bool allow_unknown_models);

}  // namespace waggle::queen
