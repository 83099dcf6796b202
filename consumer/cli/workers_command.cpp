// `waggle workers`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

void print(const WorkersReply& reply) {
  if (reply.workers.empty()) {
    std::puts("no worker is in the pool; start one: waggle-worker-cpu --help");
    return;
  }
  std::vector<std::vector<std::string>> rows{
      {"WORKER", "STATE", "DEVICE", "PRECISION", "JOBS", "DONE", "FAILED", "STEP/S", "MEMORY", "MODELS"}};
  for (const WorkerInfo& worker : reply.workers) {
    std::string models;
    for (const ModelInfo& model : worker.models) {
      models += (models.empty() ? "" : ", ") + printable(model.name) + (model.loaded ? "*" : "");
    }
    char rate[32] = "-";
    if (worker.steps_per_s) std::snprintf(rate, sizeof rate, "%.2f", *worker.steps_per_s);
    rows.push_back({worker.id.value, std::string(name(worker.state)), printable(worker.device),
                    printable(worker.precision),
                    std::to_string(worker.jobs.size()) + "/" + std::to_string(worker.capacity),
                    std::to_string(worker.jobs_done), std::to_string(worker.jobs_failed), rate,
                    bytes_text(worker.memory_used_bytes), models});
  }
  std::fputs(table(rows).c_str(), stdout);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<HiveFlags>();
  add_hive_flags(app, *flags);
  return [flags](const Terminal& terminal) {
    return query(terminal, *flags, WorkersRequest{}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<WorkersReply>(&body)) print(*reply);
    });
  };
}

}  // namespace

const Command kWorkersCommand{"workers", "List the pool: devices, jobs in hand, speed, models (* loaded)",
                              "  waggle workers\n  waggle workers --json\n", attach};

}  // namespace waggle::cli
