// `waggle stats`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

void print(const StatsReply& reply) {
  std::fputs(table({{"queued", std::to_string(reply.queued)},
                    {"running", std::to_string(reply.running)},
                    {"completed", std::to_string(reply.completed)},
                    {"failed", std::to_string(reply.failed)},
                    {"cancelled", std::to_string(reply.cancelled)},
                    {"expired", std::to_string(reply.expired)},
                    {"dead", std::to_string(reply.dead)},
                    {"workers", std::to_string(reply.workers)},
                    {"malformed", std::to_string(reply.malformed_messages)},
                    {"queen up", age_text(reply.uptime_s)}})
                 .c_str(),
             stdout);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<HiveFlags>();
  add_hive_flags(app, *flags);
  return [flags](const Terminal& terminal) {
    return query(terminal, *flags, StatsRequest{}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<StatsReply>(&body)) print(*reply);
    });
  };
}

}  // namespace

const Command kStatsCommand{"stats", "Count jobs by state, and workers", "  waggle stats --json\n", attach};

}  // namespace waggle::cli
