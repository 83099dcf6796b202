// The scripts of lua/, embedded at build time. A name without its file does not link.
#pragma once

#include <string_view>

namespace waggle::ledger {

struct Script {
  std::string_view name;
  std::string_view sha;   ///< of the text, as Redis computes it
  std::string_view text;  ///< lua/job.lua, then the script
};

namespace scripts {
extern const Script append, cancel, claim, commit_image, events, finish, hold_lock, holders, image, keep_blob,
    list, put_worker, reap, renew, requeue, stats, status, submit, vanish, workers;
}  // namespace scripts

}  // namespace waggle::ledger
