// This worker's claims: one at a time, each under a token, until its answer is known. A claim that finds
// nothing stands, and is made again to look anew. What to take and when is the worker's affair.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "consumer/ledger/grants.h"
#include "consumer/ledger/ledger.h"
#include "consumer/worker/settings.h"

namespace waggle::worker {

class Claims {
 public:
  explicit Claims(const Settings& settings);

  /// What there is to take; nothing, too, while Redis does not answer. Token and wait of the query are set
  /// here: it stands if it finds nothing and `may_stand`.
  std::vector<ledger::ClaimedJob> claim(ledger::ClaimQuery query, bool may_stand);
  /// What the claim that stands has been given.
  std::vector<ledger::ClaimedJob> granted();
  /// No claim stands any more; answers what it was given before that.
  std::vector<ledger::ClaimedJob> withdraw();

  [[nodiscard]] bool stands() const { return stands_; }
  /// A claim stands, and could not be told what it is given: it is to be made again.
  [[nodiscard]] bool deaf() const { return stands_ && grants_.descriptor() < 0; }
  /// Readable when granted() may have something; -1 for never.
  [[nodiscard]] int descriptor() const { return grants_.descriptor(); }

 private:
  [[nodiscard]] std::string token() const;

  const Settings& settings_;
  ledger::Ledger ledger_;
  ledger::Grants grants_;
  std::uint64_t number_ = 0;
  std::vector<std::string> models_;  ///< of the last claim
  bool repeats_ = false;             ///< the last claim's answer may have been lost
  bool stands_ = false;
  bool answers_ = true;  ///< Redis answered the last one
};

}  // namespace waggle::worker
