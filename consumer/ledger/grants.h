// Hears of the jobs that the ledger gives to a claim that stands (see ClaimQuery::wait), over a connection of
// its own. It only listens: a grant that is lost with the connection is found by the claim when it is made
// again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"

namespace waggle::ledger {

class Grants {
 public:
  /// `instance`: the part of the worker's claim tokens before the colon.
  Grants(Options options, WorkerId worker, std::string_view instance);
  ~Grants();
  Grants(const Grants&) = delete;
  Grants& operator=(const Grants&) = delete;

  /// Connects unless it is connected. Until this has been true no claim of this worker may stand.
  bool listen();
  /// For an event loop: readable means "call receive"; -1 without a connection.
  [[nodiscard]] int descriptor() const;

  struct Grant {
    std::string token;  ///< of the claim that it is given to
    ClaimedJob job;
  };
  /// What has come, without waiting. What cannot be read is left out: the claim, made again, ends such a job.
  std::vector<Grant> receive();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace waggle::ledger
