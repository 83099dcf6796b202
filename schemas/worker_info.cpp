// Names of worker states.
#include "schemas/worker_info.h"

namespace waggle {

std::string_view name(WorkerState state) noexcept {
  switch (state) {
    case WorkerState::starting:
      return "starting";
    case WorkerState::idle:
      return "idle";
    case WorkerState::busy:
      return "busy";
    case WorkerState::draining:
      return "draining";
    case WorkerState::broken:
      return "broken";
    case WorkerState::stopped:
      return "stopped";
  }
  return "stopped";
}

std::optional<WorkerState> worker_state_from_name(std::string_view text) noexcept {
  using enum WorkerState;
  for (const WorkerState state : {starting, idle, busy, draining, broken, stopped}) {
    if (name(state) == text) return state;
  }
  return std::nullopt;
}

}  // namespace waggle
