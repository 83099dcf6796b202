// The way of a job into the queue: checks, pictures to the blob store, a seed and an id, the ledger, the
// announcement.
#pragma once

#include <vector>

#include "consumer/queen/commands.h"
#include "schemas/message.h"

namespace waggle::queen {

/// Answers when Redis has the job. Errors: invalid_request, unknown_model, unknown_worker, unknown_sampler,
/// queue_full, idempotency_conflict, unavailable.
Result<Accepted> admit(Desk& desk, JobRequest request);

/// The same for many jobs, each accepted or refused by itself, in order; paths of bad fields begin with
/// /jobs/<i>.
std::vector<Result<Accepted>> admit_many(Desk& desk, const std::vector<JobRequest>& requests);

}  // namespace waggle::queen
