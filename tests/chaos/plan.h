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

struct PlannedJob {
  int number = 0;
  JobRequest request;                ///< with its seed and its idempotency key
  std::optional<int> cancel_at;      ///< when so many jobs have been accepted
  bool streamed = false;             ///< somebody reads its events by HTTP
  std::optional<int> hang_up_every;  ///< the reader drops the connection after so many events and comes back
};

enum class Part { worker, queen, bridge, redis };
std::string_view name(Part part);

enum class How {
  kill,    ///< SIGKILL, and a new start
  freeze,  ///< SIGSTOP, SIGCONT: alive to the kernel, silent to everybody
  drain,   ///< SIGTERM, as an operator stops it, and a new start
};
std::string_view name(How how);

struct Blow {
  int at = 0;  ///< when so many jobs have been accepted
  Part part = Part::worker;
  int index = 0;  ///< which of its kind
  How how = How::kill;
  std::chrono::milliseconds lasts{0};  ///< until it is started again or goes on
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<PlannedJob> jobs;
  std::vector<Blow> blows;  ///< in order of `at`
};

Plan make_plan(std::uint64_t seed, int jobs);

}  // namespace waggle::chaos
