// What a run of chaos will do: its jobs and the blows that the processes take, drawn from a seed.
//
// A pure function of (seed, jobs). Blows and cancels are placed by the number of jobs accepted so far, never
// by the clock, so that a seed that has found something deals the same blows at the same places again. Knows
// no process and no socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/operation.h"

namespace waggle::chaos {

inline constexpr int kWorkers = 3, kQueens = 2, kBridges = 1;
inline constexpr int kModelWorkers = 2;  ///< with the small real model, when jobs ask for it
/// To Redis from each queen, worker and bridge, and to each queen's three sockets.
inline constexpr int kWires = kQueens + kWorkers + kModelWorkers + kBridges + 3 * kQueens;
inline constexpr std::string_view kRealModel = "sd15";

struct PlannedJob {
  int number = 0;
  JobRequest request;                ///< with its seed and its idempotency key
  std::optional<int> cancel_at;      ///< when so many jobs have been accepted
  bool streamed = false;             ///< somebody reads its events by HTTP
  std::optional<int> hang_up_every;  ///< the reader drops the connection after so many events and comes back
};

enum class Part { worker, model_worker, queen, bridge, redis, wire };
std::string_view name(Part part);

enum class How {
  kill,    ///< SIGKILL, and a new start
  freeze,  ///< SIGSTOP, SIGCONT: alive to the kernel, silent to everybody
  drain,   ///< SIGTERM, as an operator stops it, and a new start
  cut,     ///< a wire: its connections are closed
  hang,    ///< a wire: nothing is carried and nobody is told, then they are closed
};
std::string_view name(How how);

struct Blow {
  int at = 0;  ///< when so many jobs have been accepted
  Part part = Part::worker;
  int index = 0;  ///< which of its kind
  How how = How::kill;
  std::chrono::milliseconds lasts{0};  ///< until it is started again or goes on
};

/// What besides killing processes.
struct Mix {
  int cut_percent = 20;   ///< of the blows: on connections
  int model_percent = 4;  ///< of the jobs: with the small real model
  /// Nothing but workers that are killed, one at a time and with the lease as shipped: how soon their jobs
  /// run elsewhere.
  bool worker_kills_only = false;
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<PlannedJob> jobs;
  std::vector<Blow> blows;  ///< in order of `at`
  Mix mix;
};

Plan make_plan(std::uint64_t seed, int jobs, const Mix& mix = {});

}  // namespace waggle::chaos
