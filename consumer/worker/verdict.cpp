// The rules of an attempt's end.
#include "consumer/worker/verdict.h"

#include <algorithm>

namespace waggle::worker {

std::optional<EventBody> end_of(const Assignment& assignment, const Result<pipeline::RenderSummary>& result,
                                double render_s) {
  if (result) {
    if (assignment.commit_error) return FailedEvent{*assignment.commit_error};
    // Finished before the stop reached it: the ledger knows whether a cancel counts first.
    CompletedEvent completed{assignment.images, result->resolved.seed.value_or(0), render_s};
    std::sort(completed.images.begin(), completed.images.end(),
              [](const ImageInfo& a, const ImageInfo& b) { return a.index < b.index; });
    return completed;
  }
  if (result.error().code != ErrorCode::cancelled) return FailedEvent{result.error()};
  switch (assignment.stopped()) {
    case Stop::cancelled:
      return CancelledEvent{};
    case Stop::stalled:
      return FailedEvent{Error{ErrorCode::stalled, "the attempt took too long"}};
    case Stop::none:
    case Stop::lost:
    case Stop::released:
      break;
  }
  return std::nullopt;
}

}  // namespace waggle::worker
