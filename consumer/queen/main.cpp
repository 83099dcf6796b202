// waggle-queen: admits jobs, publishes them, watches leases.
#include <spdlog/spdlog.h>

#include "consumer/program/program.h"
#include "consumer/program/stop_signal.h"
#include "consumer/queen/options.h"
#include "consumer/queen/queen.h"

int main(int argc, char** argv) {
  using namespace waggle;
  program::Program queen_program("waggle-queen",
                                 "Admits jobs, publishes them to workers and watches their leases.");
  queen::Flags flags;
  queen::add_flags(queen_program.flags(), flags);
  queen_program.set_examples(
      "  waggle-queen --redis-url redis://redis.example.org:6379\n"
      "  waggle-queen --config /etc/waggle/queen.toml --log-json\n");
  return queen_program.run(argc, argv, [&] {
    auto options = queen::read(flags);
    if (!options) {
      spdlog::error("{}", options.error().message);
      return static_cast<int>(program::kUsage);
    }
    program::StopSignal stop;
    queen::Queen queen(std::move(options).value());
    const auto at = queen.endpoints();
    spdlog::info("requests on {}, publishing on {}, collecting on {}", at.requests, at.publish, at.collect);
    queen.run([&] { return stop.count() > 0; });
    spdlog::info("stopped");
    return static_cast<int>(program::kOk);
  });
}
