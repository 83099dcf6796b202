// `waggle models`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

void print(const ModelsReply& reply) {
  if (reply.models.empty()) {
    std::puts("no worker serves a model; `waggle workers` shows who is in the pool");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"MODEL", "FAMILY", "WORKERS", "STATE", "ALIASES"}};
  for (const PoolModel& pooled : reply.models) {
    std::string aliases;
    for (const std::string& alias : pooled.model.aliases) {
      aliases += (aliases.empty() ? "" : ", ") + printable(alias);
    }
    rows.push_back({printable(pooled.model.name), printable(pooled.model.family),
                    std::to_string(pooled.workers.size()), pooled.paused ? "paused" : "open", aliases});
  }
  std::fputs(table(rows).c_str(), stdout);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<HiveFlags>();
  add_hive_flags(app, *flags);
  return [flags](const Terminal& terminal) {
    return query(terminal, *flags, ModelsRequest{}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<ModelsReply>(&body)) print(*reply);
    });
  };
}

}  // namespace

const Command kModelsCommand{"models", "List the models that the pool serves", "  waggle models\n", attach};

}  // namespace waggle::cli
