// waggle-bench: how fast full-size models are on this machine, part by part and as a whole, with random
// weights.
//
// A figure of a part is printed only when its fast path agrees with plain fp32 libtorch on the same input.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "pipeline/engine/allocator.h"
#include "pipeline/engine/block_arena.h"
#include "pipeline/engine/device.h"
#include "tests/pipeline/bench/ceilings.h"
#include "tests/pipeline/bench/measured_operations.h"
#include "tests/pipeline/bench/parts.h"
#include "tests/pipeline/bench/trade.h"
#include "tests/pipeline/bench/whole.h"

namespace waggle::bench {
namespace {

using namespace pipeline;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

double seconds_of(const Work& work) {
  const auto begin = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

rusage usage_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

/// Throws std::runtime_error when the fast path is too far from fp32.
double checked_error(const Options& o, const at::Tensor& result) {
  const at::Tensor expected = make_work(o, ops::reference_operations(at::kCPU, at::kFloat))();
  const double error = ((result - expected).norm() / expected.norm()).item<double>();
  if (error < o.tolerance) return error;
  throw std::runtime_error("the fast path is off by " + std::to_string(error) +
                           " of the fp32 result, more than " + std::to_string(o.tolerance) +
                           ": no figure is printed");
}

json kinds_of(const Ledger& ledger, double seconds) {
  json out;
  double inside = 0;
  for (const auto& [name, kind] : ledger.kinds()) {
    inside += kind.seconds;
    out[name] = {{"seconds", kind.seconds}, {"calls", kind.calls}};
    if (kind.flop > 0) out[name]["gflops"] = kind.flop * 1e-9 / kind.seconds;
  }
  out["between"] = {{"seconds", seconds - inside}};
  return out;
}

void prepare(const Options& o) {
  at::set_num_threads(thread_count(o.threads));
  at::init_num_threads();
  keep_freed_memory();
  keep_tensors_apart();
}

/// Of the part: what is no UNet has no weights in int8.
std::shared_ptr<const ops::Operations> operations_of(const Options& o) {
  const Precision precision = precision_from_name(o.precision).value();
  return o.part == "unet" ? unet_operations({}, precision)
                          : ops::best_operations(at::kCPU, dtype_for({}, precision));
}

json spread(std::vector<double> values) {
  std::ranges::sort(values);
  return {{"median", values[values.size() / 2]}, {"min", values.front()}, {"max", values.back()}};
}

/// A step of one job and a step that two jobs share, in turns, so that both meet the same machine.
json measure_pair(Options o) {
  const c10::InferenceMode no_gradients;
  prepare(o);
  o.part = "unet";
  const auto fast = operations_of(o);
  const Work one = make_work(o, fast);
  o.batch *= 2;
  const Work two = make_work(o, fast);
  (void)one();  // warm-up
  const at::Tensor result = two();
  std::vector<double> one_s, two_s, ratios;
  for (int i = 0; i < o.runs; ++i) {
    one_s.push_back(seconds_of(one));
    two_s.push_back(seconds_of(two));
    ratios.push_back(two_s.back() / one_s.back());
  }
  json out;
  if (o.check) out["relative_error"] = checked_error(o, result);
  out["operations"] = fast->name();
  out["threads"] = at::get_num_threads();
  out["one_job"] = {{"batch", o.batch / 2}, {"seconds", spread(one_s)}};
  out["two_jobs"] = {{"batch", o.batch}, {"seconds", spread(two_s)}};
  out["ratio"] = spread(ratios);
  return out;
}

json measure_part(const Options& o) {
  const c10::InferenceMode no_gradients;
  prepare(o);
  Ledger ledger;
  const Ceilings before = measure_ceilings();
  const auto fast = measured(operations_of(o), ledger);
  const Work work = make_work(o, fast);

  const Products products(fast->activations().dtype().toScalarType());
  const at::Tensor result = work();  // warm-up: primitives are made, memory is touched
  std::vector<double> seconds, sustained{products.gflops()}, shares;
  long faults = 0;
  for (int i = 0; i < o.runs; ++i) {
    ledger.clear();
    const long faults_before = usage_so_far().ru_minflt;
    seconds.push_back(seconds_of(work));
    faults += usage_so_far().ru_minflt - faults_before;
    sustained.push_back(products.gflops());
    const double around = (sustained[sustained.size() - 2] + sustained.back()) / 2;
    shares.push_back(ledger.flop() * 1e-9 / seconds.back() / around);
  }
  const rusage usage = usage_so_far();
  const Ceilings ceilings = highest(before, measure_ceilings());
  const double last = seconds.back();  // the run that the ledger holds
  const json spread_of_seconds = spread(seconds);
  const double median = spread_of_seconds["median"];

  json out;
  if (o.check) out["relative_error"] = checked_error(o, result);
  const double ceiling =
      fast->activations().dtype() == at::kBFloat16 ? ceilings.bf16_gflops : ceilings.fp32_gflops;
  out["operations"] = fast->name();
  out["threads"] = at::get_num_threads();
  out["batch"] = o.part == "vae" ? 1 : o.batch;
  out["seconds"] = spread_of_seconds;
  out["tflop"] = ledger.flop() * 1e-12;
  out["gflops"] = ledger.flop() * 1e-9 / median;
  out["ceilings"] = {{"bf16_gflops", ceilings.bf16_gflops},
                     {"fp32_gflops", ceilings.fp32_gflops},
                     {"copy_gbytes_per_s", ceilings.copy_gbytes_per_s},
                     {"sustained_gflops", spread(sustained)}};
  out["share_of_sustained"] = spread(shares);
  out["share_of_ceiling"] = ledger.flop() * 1e-9 / median / ceiling;
  out["page_faults_per_run"] = static_cast<double>(faults) / o.runs;
  out["peak_bytes"] = usage.ru_maxrss * 1024LL;
  out["by_kind"] = kinds_of(ledger, last);
  return out;
}

int run(const Options& o) {
  try {
    json out = o.part == "e2e"     ? measure_renders(o)
               : o.part == "load"  ? measure_load(o)
               : o.part == "pair"  ? measure_pair(o)
               : o.part == "trade" ? measure_shortcuts(o)
                                   : measure_part(o);
    out["part"] = o.part;
    out["model"] = o.model_path.empty() ? o.model : o.model_path.string();
    out["precision"] = o.precision;
    if (o.part != "load") out["size"] = {o.width, o.height};
    std::cout << out.dump(2) << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-bench: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace waggle::bench

int main(int argc, char** argv) {
  waggle::bench::Options o;
  CLI::App app("Measures full-size models with random weights on this machine; prints JSON.");
  app.add_option(
         "part", o.part,
         "unet, vae (decoder) or text: one part, beside the machine's ceilings; pair: a UNet step of one job "
         "and one that two jobs share; e2e: whole renders; load: a model into the pipeline, beside reading "
         "its files; trade: what guidance intervals, deep caches, token merging and int8 cost in latents and "
         "give in seconds")
      ->required()
      ->check(CLI::IsMember({"unet", "vae", "text", "pair", "e2e", "load", "trade"}));
  app.add_option("--model", o.model)->check(CLI::IsMember({"sd15", "sd21", "sdxl"}))->capture_default_str();
  app.add_option("--model-path", o.model_path,
                 "e2e, load, trade: this folder or checkpoint instead of random weights")
      ->check(CLI::ExistingPath);
  app.add_option("--precision", o.precision)
      ->check(CLI::IsMember({"bf16", "fp32", "int8"}))
      ->capture_default_str();
  app.add_option("--width", o.width, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--height", o.height, "pixels")->check(CLI::Range(64, 4096))->capture_default_str();
  app.add_option("--batch", o.batch, "rows of one UNet call; 2 is one picture with guidance")
      ->check(CLI::Range(1, 64));
  app.add_option("--steps", o.steps, "e2e, trade: denoising steps of a job")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--guidance", o.guidance, "trade: guidance scale (default: the model's, else 7.5)");
  app.add_option("--sampler", o.sampler, "trade (default: the model's own)");
  app.add_option("--prompt", o.prompt, "trade, with --model-path")->capture_default_str();
  app.add_option("--runs", o.runs, "counted runs after one warm-up; trade: seeds")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--threads", o.threads, "0: all")->check(CLI::Range(0, 1024));
  app.add_option("--tolerance", o.tolerance, "relative error beside fp32 that is accepted")
      ->capture_default_str();
  app.add_option("--weight-cache", o.weight_cache, "load: with a cache in this folder, which is filled first")
      ->type_name("DIR");
  app.add_flag("--cold", o.cold,
               "load: the files' pages are dropped from the page cache before each reading");
  app.add_flag("!--no-check", o.check,
               "leave the comparison with fp32 out (it takes fp32's time and memory)");
  CLI11_PARSE(app, argc, argv);
  return waggle::bench::run(o);
}
