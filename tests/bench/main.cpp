// waggle-queue-bench: what the queue does in a second and how long one job waits. A table for people, and
// with --json one document for whoever compares runs.
//
// Pictures and models play no part in it. Figures depend on the disk (appendfsync always) and on who else
// uses the machine: compare only what one run has measured.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "tests/bench/measurements.h"

namespace {

using namespace waggle::bench;
using Json = nlohmann::ordered_json;

Json to_json(const Latency& latency) {
  return {{"p50_ms", latency.p50}, {"p99_ms", latency.p99}, {"max_ms", latency.max}};
}

void print(const char* what, const Latency& latency) {
  std::printf("  %-24s p50 %7.2f ms   p99 %7.2f ms   max %7.2f ms\n", what, latency.p50, latency.p99,
              latency.max);
}

Json throughput(const std::string& sync, const std::vector<int>& workers, int jobs, bool full) {
  Json rows = Json::array();
  std::printf("  %s\n",
              full ? "three progress events and an image of 100 KB for each job:" : "submit, claim and end:");
  for (const int count : workers) {
    const Throughput found = measure_throughput(sync, count, jobs, full);
    std::printf(
        "    %d workers %10.0f jobs/s   %5.2f commands a job   processor: Redis %4.0f, clients %4.0f us\n",
        count, found.jobs_per_s, found.commands_per_job, found.redis_us, found.clients_us);
    rows.push_back({{"workers", count},
                    {"jobs_per_s", found.jobs_per_s},
                    {"commands_per_job", found.commands_per_job},
                    {"redis_us_per_job", found.redis_us},
                    {"clients_us_per_job", found.clients_us}});
  }
  return rows;
}

struct Plan {
  int jobs = 4000, paced_jobs = 500;
  std::vector<int> workers{1, 2, 4, 8};
  std::vector<std::string> what{"plain", "full", "latency", "busy", "recovery"};
  [[nodiscard]] bool wants(const std::string& name) const { return std::ranges::count(what, name) > 0; }
};

Json measure(const std::string& sync, const Plan& plan) {
  Json found;
  std::printf("appendfsync %s\n", sync.c_str());
  if (plan.wants("plain")) found["plain"] = throughput(sync, plan.workers, plan.jobs, false);
  if (plan.wants("full")) found["full"] = throughput(sync, plan.workers, plan.jobs / 2, true);
  if (plan.wants("latency")) {
    const Latencies latencies = measure_latencies(sync, plan.paced_jobs);
    std::printf("  at 50 jobs/s:\n");
    print("submit to work", latencies.submit_to_work);
    print("end to reader told", latencies.end_to_told);
    found["submit_to_work"] = to_json(latencies.submit_to_work);
    found["end_to_told"] = to_json(latencies.end_to_told);
  }
  if (plan.wants("busy")) {
    const double busy = measure_busy_share(sync, 60);
    std::printf("  busy with 50 ms a job:   %.1f %%\n", 100 * busy);
    found["busy_share"] = busy;
  }
  if (plan.wants("recovery")) {
    const Recovery recovery = measure_recovery(sync, 10'000);
    std::printf("  10,000 jobs wait, all is restarted: Redis after %.2f s, work after %.2f s\n",
                recovery.redis_s, recovery.work_s);
    found["recovery"] = {{"redis_s", recovery.redis_s}, {"work_s", recovery.work_s}};
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures the queue over a Redis of its own.", "waggle-queue-bench");
  Plan plan;
  std::vector<std::string> syncs{"always", "everysec"};
  bool json = false;
  app.add_option("--jobs", plan.jobs, "Jobs of a throughput run")->check(CLI::Range(10, 10'000'000));
  app.add_option("--paced-jobs", plan.paced_jobs, "Jobs of a latency run, 50 a second")
      ->check(CLI::Range(10, 100'000));
  app.add_option("--workers", plan.workers, "Workers of the throughput runs")->check(CLI::Range(1, 64));
  app.add_option("--appendfsync", syncs, "Redis's durability")->check(CLI::IsMember({"always", "everysec"}));
  app.add_option("--only", plan.what, "What to measure: plain, full, latency, busy, recovery")
      ->check(CLI::IsMember({"plain", "full", "latency", "busy", "recovery"}));
  app.add_flag("--json", json, "Print one JSON document after the table");
  CLI11_PARSE(app, argc, argv);
  spdlog::set_level(spdlog::level::off);
  try {
    Json all;
    all["cores"] = std::thread::hardware_concurrency();
    for (const std::string& sync : syncs) all[sync] = measure(sync, plan);
    if (json) std::printf("%s\n", all.dump(2).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-queue-bench: %s\n", error.what());
    return 1;
  }
}
