// Flags to engine options.
#include "consumer/cli/engine_flags.h"

#include <chrono>
#include <cstdlib>
#include <future>

#include <CLI/CLI.hpp>

#include "consumer/cli/exit_code.h"
#include "pipeline/catalogue.h"

namespace waggle::cli {

using namespace std::chrono_literals;

void add_engine_flags(CLI::App& app, EngineFlags& flags) {
  app.add_option("--precision", flags.precision,
                 "auto, fp32, bf16, fp16 or int8 (on a CPU; a little off, see README)")
      ->capture_default_str();
  app.add_option("--device", flags.device, "cpu, cuda or metal")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda", "metal"}));
  app.add_option("--threads", flags.threads, "Compute threads on a CPU, 0: as many as the machine allows")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--memory-budget", flags.memory_budget,
                 "What a step or a decode may take beside the weights, such as 6G (default: what is free)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->type_name("SIZE");
  app.add_option("--weight-cache", flags.weight_cache,
                 "Keep weights here as this machine multiplies them, for the next start (default: nowhere)")
      ->type_name("DIR");
  app.add_option("--weight-cache-size", flags.weight_cache_size,
                 "What --weight-cache may take; the longest unused go first (default: 32G)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->type_name("SIZE");
  app.add_option("--family", flags.family,
                 "What a checkpoint is where its tensors leave a choice: turbo, sd21-v, sd21-base")
      ->type_name("NAME");
  const auto folder = [&app](const char* flag, std::filesystem::path& dir, const char* what) {
    app.add_option(flag, dir, what)->type_name("DIR");
  };
  folder("--lora-dir", flags.folders.loras, "Where --lora names are files (default: loras beside the model)");
  folder("--controlnet-dir", flags.folders.controlnets,
         "Where --controlnet names are folders or files (default: controlnet beside the model)");
  folder("--embeddings-dir", flags.folders.embeddings,
         "Embeddings, which prompts may name (default: embeddings beside the model)");
  folder("--vae-dir", flags.folders.vaes,
         "Where --vae names are files or folders (default: vae beside the model)");
  folder("--tokenizer-dir", flags.folders.tokenizer,
         "Tokenizer for a checkpoint, which carries none (default: tokenizer beside it)");
}

Result<pipeline::Options> engine_options(const EngineFlags& flags, const std::filesystem::path& model) {
  pipeline::Options options;
  const auto precision = pipeline::precision_from_name(flags.precision);
  if (!precision) {
    return Error{ErrorCode::invalid_request,
                 "--precision must be auto, fp32, bf16, fp16 or int8, is \"" + flags.precision + "\""};
  }
  options.precision = *precision;
  if (flags.device == "cuda") options.device.kind = pipeline::DeviceKind::cuda;
  if (flags.device == "metal") options.device.kind = pipeline::DeviceKind::metal;
  options.threads = flags.threads;
  options.memory_budget_bytes = static_cast<std::int64_t>(flags.memory_budget);
  options.weight_cache = flags.weight_cache;
  options.weight_cache_bytes = static_cast<std::int64_t>(flags.weight_cache_size);
  options.folders = flags.folders;
  options.family = flags.family;
  if (!model.empty()) {
    const auto clean = model.filename().empty() ? model.parent_path() : model;
    pipeline::use_folders_beside(clean.has_parent_path() ? clean.parent_path() : ".", options.folders);
  }
  if (auto found = pipeline::check_device(options.device); !found) return found.error();
  return options;
}

Status load_model(pipeline::Pipeline& pipeline, const pipeline::ModelDescription& model,
                  const program::StopSignal& stop) {
  auto loaded = std::async(std::launch::async, [&] { return pipeline.load(model.path, model.name); });
  while (loaded.wait_for(20ms) != std::future_status::ready) {
    // Nothing has been written, and the weights are mapped read-only: leaving at once loses nothing.
    if (stop.count() > 0) std::_Exit(static_cast<int>(ExitCode::interrupted));
  }
  auto description = loaded.get();
  if (!description) return description.error();
  return Done{};
}

}  // namespace waggle::cli
