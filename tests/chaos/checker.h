// Whether the queue kept its word. Trusts neither side: what clients and readers were told is held against
// the ledger's records, the records against the event logs, and the pictures against the seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schemas/message.h"
#include "tests/chaos/history.h"

namespace waggle::chaos {

/// Every broken promise of one job, one line each; empty when all is well.
std::vector<std::string> check_job(const PlannedJob& planned, const Told& told, const Kept& kept);

/// What must hold of the whole once every job has ended: as many records as jobs, nothing in flight.
std::vector<std::string> check_whole(const Plan& plan, const StatsReply& stats);

}  // namespace waggle::chaos
