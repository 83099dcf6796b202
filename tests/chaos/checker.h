// Whether the queue kept its word. Trusts neither side: what clients and readers were told is held against
// the ledger's records, the records against the event logs, and the pictures against the seeds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "schemas/message.h"
#include "tests/chaos/history.h"

namespace waggle::chaos {

/// Every broken promise of one job, one line each; empty when all is well.
std::vector<std::string> check_job(const PlannedJob& planned, const Told& told, const Kept& kept);

/// The pictures of the real model: those of one seed are the same to the last bit, those of two seeds are
/// not, whoever made them and however often they were begun.
class PictureAlbum {
 public:
  std::vector<std::string> check(const PlannedJob& planned, const Kept& kept);
  [[nodiscard]] long pictures() const { return pictures_; }

 private:
  std::map<std::int64_t, std::vector<std::uint8_t>> by_seed_;
  long pictures_ = 0;
};

/// What must hold of the whole once every job has ended: as many records as jobs, nothing in flight.
std::vector<std::string> check_whole(const Plan& plan, const StatsReply& stats);

}  // namespace waggle::chaos
