// Which event ends an attempt: pure rules over why it was stopped and what the renderer said.
#pragma once

#include <optional>

#include "consumer/worker/assignment.h"
#include "schemas/event.h"

namespace waggle::worker {

/// The end to report; nothing when the job is to be handed back instead (a drain, or the renderer shut down
/// unasked). Not to be asked for an assignment whose lease is lost.
std::optional<EventBody> end_of(const Assignment& assignment, const Result<pipeline::RenderSummary>& result,
                                double render_s);

}  // namespace waggle::worker
