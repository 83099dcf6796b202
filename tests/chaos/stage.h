// The real processes of a run: Redis, queens, workers and a bridge, and the blows that they take.
//
// Everything lies in one folder: sockets, logs, the append-only file is Redis's own. Used by the main thread
// alone.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "tests/chaos/journal.h"
#include "tests/chaos/plan.h"
#include "tests/chaos/process.h"
#include "tests/chaos/wires.h"
#include "tests/ledger/redis_server.h"

namespace waggle::chaos {

/// A worker that was killed, and when (milliseconds since the epoch, Redis's clock too).
struct KilledWorker {
  WorkerId worker;
  std::int64_t at_ms = 0;
};

class Stage {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts everything. `programs`: the folder of the built programs. Throws when one is missing.
  /// `model`: of the jobs for the real one.
  Stage(const std::filesystem::path& programs, const std::filesystem::path& folder,
        const std::filesystem::path& model, const Mix& mix, Journal& journal);

  /// Deals the blow, unless the same process is still down from another one.
  void strike(const Blow& blow);
  /// Starts again or wakes what has been down for long enough, or, with `all`, whatever is down.
  void mend(bool all = false);
  [[nodiscard]] bool whole() const { return down_.empty(); }

  [[nodiscard]] std::vector<bus::Endpoints> queens() const { return queens_; }
  [[nodiscard]] int bridge_port() const { return bridge_port_; }
  [[nodiscard]] const std::vector<KilledWorker>& killed() const { return killed_; }
  [[nodiscard]] const testing::RedisServer& redis() const { return redis_; }

 private:
  struct Down {
    Blow blow;
    Clock::time_point until;
  };
  /// The URL of Redis for one more program: over a wire of its own, if wires are cut.
  std::string redis_url();
  bus::Endpoints over_wires(const std::string& base, const bus::Endpoints& real);
  Process& process(const Blow& blow);
  void mend_one(const Blow& blow);
  /// A program that ended by itself did so for no reason that the plan knows.
  void look_after();

  const std::filesystem::path programs_, folder_;
  Journal& journal_;
  const Mix mix_;
  testing::RedisServer redis_;
  Wires wires_;
  int bridge_port_;
  std::vector<bus::Endpoints> queens_;  ///< as others reach them
  std::vector<Process> queen_processes_, worker_processes_, model_worker_processes_, bridge_processes_;
  std::vector<Down> down_;
  std::vector<KilledWorker> killed_;
};

}  // namespace waggle::chaos
