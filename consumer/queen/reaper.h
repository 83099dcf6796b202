// The thread that takes jobs back from workers that fell silent. Any queen may run it: a lock in Redis lets
// one act at a time.
#pragma once

#include <string>
#include <thread>

#include "consumer/bus/bus.h"
#include "consumer/queen/options.h"

namespace waggle::queen {

class Reaper {
 public:
  /// `proxy` is where its events are published.
  Reaper(const Options& options, bus::Context& context, const std::string& proxy);

 private:
  std::jthread thread_;
};

}  // namespace waggle::queen
