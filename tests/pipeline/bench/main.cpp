// waggle-bench: how fast the parts of full-size models are on this machine, with random weights made in
// memory.
//
// A figure is printed only when the fast path agrees with plain fp32 libtorch on the same input.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/device.h"
#include "pipeline/models/family_configs.h"
#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"
#include "pipeline/weights/random_weights.h"
#include "tests/pipeline/bench/ceilings.h"
#include "tests/pipeline/bench/measured_operations.h"

namespace waggle::bench {
namespace {

using namespace pipeline;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

struct Options {
  std::string part, model = "sd15", precision = "bf16";
  int width = 512, height = 512, batch = 2, runs = 3, threads = 0;
  double tolerance = 0.02;
  bool check = true;
};

CheckpointKind kind_of(const std::string& model) {
  using Family = CheckpointKind::Family;
  if (model == "sd15") return {Family::sd1, 4};
  if (model == "sd21") return {Family::sd2, 4};
  return {Family::sdxl, 4};
}

/// One part of a model, as a function of nothing.
using Work = std::function<at::Tensor()>;

/// Builds the part over `operations`. The result does one forward pass over inputs that depend on the options
/// alone.
Work make_work(const Options& o, const std::shared_ptr<const ops::Operations>& operations) {
  const FamilyConfigs configs = family_configs(kind_of(o.model));
  const auto weights = std::make_shared<RandomWeights>();
  const Builder build(*weights, *operations);
  at::manual_seed(11);
  const std::int64_t h = o.height / 8, w = o.width / 8;
  if (o.part == "vae") {
    const auto decoder = std::make_shared<VaeDecoder>(build, VaeConfig::from(configs.vae));
    const at::Tensor latents = at::randn({1, 4, h, w});
    return [=] { return (void)operations, decoder->forward(latents); };
  }
  const UNetConfig config = UNetConfig::from(configs.unet);
  const auto unet = std::make_shared<UNet>(build, config);
  const at::Tensor sample = at::randn({o.batch, 4, h, w}),
                   text = at::randn({o.batch, 77, config.context_width});
  const bool sized = config.added_width > 0;
  const auto context = std::make_shared<UNetContext>(unet->prepare(
      text, sized ? at::randn({o.batch, config.added_width - 6 * config.added_time_width}) : at::Tensor(),
      sized ? at::full({o.batch, 6}, 1024.0) : at::Tensor()));
  const at::Tensor t = at::full({o.batch}, 500.0);
  return [=] { return (void)operations, unet->forward(sample, t, *context); };
}

double seconds_of(const Work& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::int64_t peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024LL;
}

int run(const Options& o) {
  const c10::InferenceMode no_gradients;
  at::set_num_threads(o.threads > 0 ? o.threads : usable_processors());
  at::init_num_threads();
  keep_freed_memory();
  const auto dtype = o.precision == "bf16" ? at::kBFloat16 : at::kFloat;
  Ledger ledger;
  const Ceilings ceilings = measure_ceilings();
  const auto fast = measured(ops::best_operations(at::kCPU, dtype), ledger);
  const Work work = make_work(o, fast);

  const at::Tensor result = work();  // warm-up: primitives are made, memory is touched
  std::vector<double> seconds;
  for (int i = 0; i < o.runs; ++i) {
    ledger.clear();
    seconds.push_back(seconds_of(work));
  }
  const double last = seconds.back();  // the run that the ledger holds
  const std::int64_t peak = peak_bytes();
  std::ranges::sort(seconds);
  const double median = seconds[seconds.size() / 2];

  json out;
  if (o.check) {
    const at::Tensor expected = make_work(o, ops::reference_operations(at::kCPU, at::kFloat))();
    const double error = ((result - expected).norm() / expected.norm()).item<double>();
    if (!(error < o.tolerance)) {
      std::fprintf(stderr,
                   "the fast path is off by %.3f of the fp32 result, more than %.3f: no figure is printed\n",
                   error, o.tolerance);
      return 1;
    }
    out["relative_error"] = error;
  }
  const double ceiling = dtype == at::kBFloat16 ? ceilings.bf16_gflops : ceilings.fp32_gflops;
  out["part"] = o.part;
  out["model"] = o.model;
  out["operations"] = fast->name();
  out["precision"] = o.precision;
  out["threads"] = at::get_num_threads();
  out["size"] = {o.width, o.height};
  out["batch"] = o.part == "vae" ? 1 : o.batch;
  out["seconds"] = {{"median", median}, {"min", seconds.front()}, {"max", seconds.back()}};
  out["tflop"] = ledger.flop() * 1e-12;
  out["gflops"] = ledger.flop() * 1e-9 / median;
  out["ceilings"] = {{"bf16_gflops", ceilings.bf16_gflops},
                     {"fp32_gflops", ceilings.fp32_gflops},
                     {"copy_gbytes_per_s", ceilings.copy_gbytes_per_s}};
  out["share_of_ceiling"] = ledger.flop() * 1e-9 / median / ceiling;
  out["peak_bytes"] = peak;
  double inside = 0;
  for (const auto& [name, kind] : ledger.kinds()) {
    inside += kind.seconds;
    out["by_kind"][name] = {{"seconds", kind.seconds}, {"calls", kind.calls}};
    if (kind.flop > 0) out["by_kind"][name]["gflops"] = kind.flop * 1e-9 / kind.seconds;
  }
  out["by_kind"]["between"] = {{"seconds", last - inside}};
  std::cout << out.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace waggle::bench

int main(int argc, char** argv) {
  waggle::bench::Options o;
  CLI::App app("Measures one part of a full-size model with random weights; prints JSON.");
  app.add_option("part", o.part, "unet or vae")->required()->check(CLI::IsMember({"unet", "vae"}));
  app.add_option("--model", o.model)->check(CLI::IsMember({"sd15", "sd21", "sdxl"}))->capture_default_str();
  app.add_option("--precision", o.precision)->check(CLI::IsMember({"bf16", "fp32"}))->capture_default_str();
  app.add_option("--width", o.width, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--height", o.height, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--batch", o.batch, "rows of one UNet call; 2 is one picture with guidance")
      ->check(CLI::Range(1, 64));
  app.add_option("--runs", o.runs, "counted runs after one warm-up")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "0: all")->check(CLI::Range(0, 1024));
  app.add_option("--tolerance", o.tolerance, "relative error beside fp32 that is accepted")
      ->capture_default_str();
  app.add_flag("!--no-check", o.check,
               "leave the comparison with fp32 out (it takes fp32's time and memory)");
  CLI11_PARSE(app, argc, argv);
  return waggle::bench::run(o);
}
