// `waggle stats`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

void print(const StatsReply& reply) {
  std::string paused;
  for (const std::string& model : reply.paused) paused += (paused.empty() ? "" : ", ") + printable(model);
  std::fputs(table({{"queued", std::to_string(reply.queued)},
                    {"running", std::to_string(reply.running)},
                    {"completed", std::to_string(reply.completed)},
                    {"failed", std::to_string(reply.failed)},
                    {"cancelled", std::to_string(reply.cancelled)},
                    {"expired", std::to_string(reply.expired)},
                    {"dead", std::to_string(reply.dead)},
                    {"workers", std::to_string(reply.workers)},
                    {"paused", paused.empty() ? "-" : paused},
                    {"bytes queued", std::to_string(reply.queued_bytes)},
                    {"bytes of images", std::to_string(reply.image_bytes)},
                    {"images evicted", std::to_string(reply.images_evicted)},
                    {"malformed", std::to_string(reply.malformed_messages + reply.malformed_events +
                                                 reply.malformed_subscriptions)},
                    {"rate limited", std::to_string(reply.rate_limited)},
                    {"queen", printable(reply.queen)},
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
