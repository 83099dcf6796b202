// waggle-chaos: submits jobs to a real pool while it kills, stops and restarts the pool's processes, then
// counts what was lost. Exit code 0: nothing; 1: the checker complains; 2: the run could not be made.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/chaos/run.h"

namespace {

using namespace waggle;
namespace fs = std::filesystem;

constexpr std::size_t kShown = 40;  // complaints; the operation log has them all

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
  if (const auto& moved = verdict.moved_ms; !moved.empty()) {
    std::printf("worker killed to job running elsewhere: median %lld ms, longest %lld ms (%zu jobs)\n",
                static_cast<long long>(moved[moved.size() / 2]), static_cast<long long>(moved.back()),
                moved.size());
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
  app.add_option("--model", model, "The small real model")->check(CLI::ExistingPath);
  app.add_flag("--keep", keep, "Keep the logs also when all is well");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(chaos::make_plan(seed, jobs, mix), programs, model, keep);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-chaos: seed %llu: %s\n", static_cast<unsigned long long>(seed),
                 error.what());
    return 2;
  }
}
