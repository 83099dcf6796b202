// The scripts of lua/, embedded at build time as one library of Redis functions. A name without its file does
// not link.
#pragma once

#include <string_view>

namespace waggle::ledger {

struct Script {
  std::string_view function;  ///< its name in Redis, which differs between versions of the library
};

namespace scripts {
extern const Script append, cancel, claim, commit_image, events, finish, hold_lock, holders, image, keep_blob,
    list, put_worker, reap, renew, requeue, stats, status, submit, vanish, workers;
extern const std::string_view library;  ///< what FUNCTION LOAD is given
}  // namespace scripts

}  // namespace waggle::ledger
