// Names of job states and which of them are ends.
#include "schemas/job.h"

namespace waggle {

std::string_view name(JobState state) noexcept {
  switch (state) {
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::completed:
      return "completed";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
    case JobState::expired:
      return "expired";
    case JobState::dead:
      return "dead";
  }
  return "queued";
}

std::optional<JobState> job_state_from_name(std::string_view text) noexcept {
  using enum JobState;
  for (const JobState state : {queued, running, completed, failed, cancelled, expired, dead}) {
    if (name(state) == text) return state;
  }
  return std::nullopt;
}

bool is_terminal(JobState state) noexcept {
  switch (state) {
    case JobState::queued:
    case JobState::running:
      return false;
    case JobState::completed:
    case JobState::failed:
    case JobState::cancelled:
    case JobState::expired:
    case JobState::dead:
      return true;
  }
  return false;
}

}  // namespace waggle
