// waggle-alternate: renders jobs of which each has another model and another LoRA than the one before, and
// fails unless every picture is what a fresh process state gives and the memory stays what it was.
//
// The models are the small one of the tree with its weights moved; they take 2 MB each, so this shows leaks
// and drift, not speed.
#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <CLI/CLI.hpp>
#include <unistd.h>

#include "pipeline/pipeline.h"
#include "pipeline/weights/safetensors.h"
#include "pipeline/weights/safetensors_writer.h"
#include "tests/pipeline/adapters/written_lora.h"

namespace {

namespace fs = std::filesystem;
using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

struct Flags {
  int jobs = 200, models = 4, loras = 10;
  std::int64_t growth_mib = 16, budget_mib = 24;
};

/// A copy of the small model whose UNet is another one.
void write_model(const fs::path& dir, std::uint64_t seed) {
  fs::copy(fs::path(WAGGLE_GOLDEN_DATA) / "sd15", dir, fs::copy_options::recursive);
  const fs::path weights = dir / "unet/diffusion_pytorch_model.safetensors";
  const auto file = SafetensorsFile::open(weights).value();
  std::map<std::string, at::Tensor> moved;
  for (const auto& [name, entry] : file.entries()) {
    const at::Tensor tensor = file.tensor(name);
    moved[name] = tensor + noise(seed++, tensor.sizes()) * 0.05;
  }
  write_safetensors(weights, moved);
}

std::string model_name(int i) { return "model-" + std::to_string(i); }

/// The bytes of the picture, which hold nothing but what the request decides.
std::string render(Pipeline& pipeline, const std::string& model, const std::string& lora) {
  std::string bytes;
  std::promise<Result<RenderSummary>> end;
  RenderJob job;
  job.model = job.request.model = model;
  job.request.prompt = "a red circle";
  job.request.seed = 7;
  job.request.steps = 2;
  job.request.loras = {{lora, 0.8}};
  job.callbacks.image = [&](RenderedImage image) { bytes = std::move(image.bytes); };
  job.callbacks.end = [&](Result<RenderSummary> result) { end.set_value(std::move(result)); };
  pipeline.render(std::move(job));
  if (const auto result = end.get_future().get(); !result)
    throw std::runtime_error(to_string(result.error()));
  return bytes;
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

Options options(const Flags& flags, const fs::path& loras) {
  Options o;
  o.precision = Precision::fp32;
  o.threads = 1;
  o.folders.loras = loras;
  o.memory_budget_bytes = flags.budget_mib << 20;
  o.model_memory_bytes = o.memory_budget_bytes / 2;  // too little to keep all of them
  return o;
}

int run(const Flags& flags) {
  const LoraFolder folder;
  for (int i = 0; i < flags.models; ++i)
    write_model(folder.path() / model_name(i), static_cast<std::uint64_t>(10'000 * (i + 1)));
  for (int i = 0; i < flags.loras; ++i)
    folder.write("lora-" + std::to_string(i) + ".safetensors",
                 small_lora(static_cast<std::uint64_t>(100 * i + 1)));
  const auto load = [&](Pipeline& pipeline, int i) {
    if (auto loaded = pipeline.load(folder.path() / model_name(i), model_name(i)); !loaded)
      throw std::runtime_error(to_string(loaded.error()));
  };

  std::map<std::pair<int, int>, std::string> fresh;
  const auto pair_of = [&](int job) {
    return std::pair(job % flags.models, (job / flags.models + 3 * (job % flags.models)) % flags.loras);
  };
  for (int job = 0; job < flags.jobs; ++job) {
    auto& expected = fresh[pair_of(job)];
    if (!expected.empty()) continue;
    Pipeline alone(options(flags, folder.path()));
    load(alone, pair_of(job).first);
    expected = render(alone, model_name(pair_of(job).first), "lora-" + std::to_string(pair_of(job).second));
  }

  Pipeline pipeline(options(flags, folder.path()));
  for (int i = 0; i < flags.models; ++i) load(pipeline, i);
  std::int64_t after_ten = 0;
  int different = 0;
  for (int job = 0; job < flags.jobs; ++job) {
    const auto [model, lora] = pair_of(job);
    if (render(pipeline, model_name(model), "lora-" + std::to_string(lora)) != fresh[pair_of(job)]) {
      ++different;
      std::printf("job %d (%s, lora-%d) is not what it is alone\n", job, model_name(model).c_str(), lora);
    }
    const std::int64_t now = resident_bytes();
    if (job == 9) after_ten = now;
    if (job == 9 || (job + 1) % 50 == 0 || job + 1 == flags.jobs)
      std::printf("after %3d jobs: %.1f MiB resident\n", job + 1, static_cast<double>(now) / (1 << 20));
  }
  const std::int64_t grown = resident_bytes() - after_ten;
  std::printf(
      "%d jobs over %zu pairs of model and LoRA: %d pictures differ from a fresh run, memory grew by %.1f "
      "MiB "
      "since the tenth\n",
      flags.jobs, fresh.size(), different, static_cast<double>(grown) / (1 << 20));
  return different == 0 && grown < (flags.growth_mib << 20) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app("Jobs that change model and LoRA in turns: pictures and memory must stay what they were");
  app.add_option("--jobs", flags.jobs)->check(CLI::Range(11, 100000))->capture_default_str();
  app.add_option("--models", flags.models)->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--loras", flags.loras)->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--growth-mib", flags.growth_mib, "Growth since the tenth job that is a failure")
      ->capture_default_str();
  app.add_option("--budget-mib", flags.budget_mib, "Memory budget of the engine")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(flags);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
