// Who is the master now, as Redis's Sentinels know it. Private to consumer/ledger.
#pragma once

#include "consumer/ledger/ledger.h"
#include "schemas/result.h"

namespace waggle::ledger {

/// Asks one Sentinel after the other, each for at most half a second. Errors: unavailable, when none knows a
/// master.
Result<Address> ask_sentinels(const Options& options);

}  // namespace waggle::ledger
