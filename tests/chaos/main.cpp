// waggle-chaos: submits jobs to a real pool while it kills, stops and restarts the pool's processes, then
// counts what was lost. Exit code 0: nothing; 1: the checker complains; 2: the run could not be made.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/chaos/run.h"

namespace {

using namespace waggle;
namespace fs = std::filesystem;

constexpr std::size_t kShown = 40;  // complaints; the operation log has them all

void print_times(const char* what, const std::vector<std::int64_t>& sorted_ms) {
  const auto at = [&](double share) {
    return static_cast<long long>(
        sorted_ms[static_cast<std::size_t>(share * static_cast<double>(sorted_ms.size() - 1))]);
  };
  std::printf("  %-36s p10 %5lld  p50 %5lld  p90 %5lld  p99 %5lld  longest %5lld ms\n", what, at(0.1),
              at(0.5), at(0.9), at(0.99), at(1));
}

fs::path scratch_folder() {
  std::string name = (fs::temp_directory_path() / "waggle-chaos-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

int run(const chaos::Plan& plan, const fs::path& programs, const fs::path& model, bool keep) {
  const fs::path folder = scratch_folder();
  const chaos::Verdict verdict = chaos::Run(plan, programs, folder, model).go();
  const StatsReply& stats = verdict.stats;
  std::printf("seed %llu: %zu jobs, %d blows, %.1f s, %.1f jobs/s, %ld attempts repeated\n",
              static_cast<unsigned long long>(plan.seed), plan.jobs.size(), verdict.blows, verdict.seconds,
              static_cast<double>(plan.jobs.size()) / verdict.seconds, verdict.retries);
  std::printf("completed %lld, cancelled %lld, expired %lld, dead %lld, failed %lld; %zu complaints\n",
              static_cast<long long>(stats.completed), static_cast<long long>(stats.cancelled),
              static_cast<long long>(stats.expired), static_cast<long long>(stats.dead),
              static_cast<long long>(stats.failed), verdict.complaints.size());
  if (verdict.pictures > 0) std::printf("%ld pictures of the real model compared\n", verdict.pictures);
  if (!verdict.moved_ms.empty()) {
    std::printf("workers killed with -9 that had jobs in hand (%zu jobs):\n", verdict.moved_ms.size());
    print_times("to the job waiting again", verdict.missed_ms);
    print_times("to the job running elsewhere*", verdict.moved_ms);
    std::printf("  * without the back-off that a job has after its second loss\n");
  }
  for (std::size_t i = 0; i < verdict.complaints.size() && i < kShown; ++i) {
    std::printf("  %s\n", verdict.complaints[i].c_str());
  }
  if (verdict.complaints.empty() && !keep) {
    fs::remove_all(folder);
    return 0;
  }
  std::printf("operation log and the programs' logs: %s\n", folder.c_str());
  return verdict.complaints.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // Redis and the bridge are killed while this process talks to them
  CLI::App app("Kills what can be killed and counts what is lost.", "waggle-chaos");
  int jobs = 300;
  std::uint64_t seed = 1;
  fs::path programs = fs::read_symlink("/proc/self/exe").parent_path();
  fs::path model = WAGGLE_TEST_MODEL;
  chaos::Mix mix;
  bool keep = false;
  app.add_option("--jobs", jobs, "Jobs to submit")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--seed", seed, "Of the jobs and the blows: the same seed, the same plan")
      ->capture_default_str();
  app.add_option("--bin", programs, "Folder of the programs")->check(CLI::ExistingDirectory);
  app.add_option("--cuts", mix.cut_percent,
                 "Percent of the blows that cut connections; 0: none, and no wires between")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--pictures", mix.model_percent, "Percent of the jobs that the small real model renders")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_flag("--worker-kills", mix.worker_kills_only,
               "Nothing but workers that are killed, with the lease as shipped: how soon their jobs move");
  app.add_option("--model", model, "The small real model")->check(CLI::ExistingPath);
  app.add_flag("--keep", keep, "Keep the logs also when all is well");
  CLI11_PARSE(app, argc, argv);
  try {
    if (mix.worker_kills_only) mix.cut_percent = mix.model_percent = 0;
    return run(chaos::make_plan(seed, jobs, mix), programs, model, keep);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-chaos: seed %llu: %s\n", static_cast<unsigned long long>(seed),
                 error.what());
    return 2;
  }
}
