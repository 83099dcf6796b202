// The way of a job into the queue: checks, pictures to the blob store, a seed and an id, the ledger, the
// announcement.
#pragma once

#include <string_view>

#include "consumer/queen/commands.h"
#include "schemas/message.h"

namespace waggle::queen {

/// Answers when Redis has the job. `prefix` is put before the paths of bad fields. Errors: invalid_request,
/// unknown_model, unknown_worker, unknown_sampler, queue_full, idempotency_conflict, unavailable.
Result<Accepted> admit(Desk& desk, JobRequest request, std::string_view prefix = "");

}  // namespace waggle::queen
