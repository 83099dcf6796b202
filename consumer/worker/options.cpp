// The worker's flags.
#include "consumer/worker/options.h"

#include <algorithm>
#include <array>
#include <random>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "consumer/program/program.h"
#include "consumer/program/queens.h"
#include "consumer/worker/null_renderer.h"
#include "consumer/worker/pipeline_renderer.h"

namespace waggle::worker {
namespace {

struct Version {
  std::string_view name, family;
};
constexpr std::array<Version, 7> kVersions = {{
    {"v1-5", "sd15"},
    {"v1-5-inpaint", "sd15-inpaint"},
    {"v2-1", "sd21"},
    {"v2-inpaint", "sd21-inpaint"},
    {"xl", "sdxl"},
    {"xl-inpaint", "sdxl-inpaint"},
    {"turbo", "turbo"},
}};

std::string drawn_id() {
  char host[65] = {};
  gethostname(host, sizeof host - 1);
  std::string id = host;
  std::replace_if(
      id.begin(), id.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '_' && c != '-'; }, '-');
  constexpr std::size_t kLongestHost = 48;
  constexpr std::string_view kDigits = "0123456789abcdef";
  id = id.substr(0, kLongestHost) + '-';
  std::random_device random;
  for (int i = 0; i < 8; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

Error invalid(std::string message) { return Error{ErrorCode::invalid_request, std::move(message)}; }

void add_model_flags(CLI::App& app, Flags& flags) {
  std::vector<std::string> versions;
  for (const Version& version : kVersions) versions.emplace_back(version.name);
  app.add_option("--model-path", flags.model_path, "A diffusers folder or a .safetensors checkpoint");
  app.add_option("--models-dir", flags.models_dir, "Serve every model in this folder");
  app.add_option("--sd-version", flags.sd_version,
                 "What --model-path must be, and is where a checkpoint leaves a choice: " +
                     CLI::detail::join(versions, ", "))
      ->check(CLI::IsMember(versions));
  app.add_option("--lora-dir", flags.folders.loras,
                 "Where LoRA files are; jobs name files in it (default: loras in --models-dir)");
  app.add_option(
      "--controlnet-dir", flags.folders.controlnets,
      "Where ControlNets are; jobs name folders or files in it (default: controlnet in --models-dir)");
  app.add_option("--embeddings-dir", flags.folders.embeddings,
                 "Textual-inversion embeddings, which prompts name (default: embeddings in --models-dir)");
  app.add_option("--vae-dir", flags.folders.vaes,
                 "Where VAEs are; jobs name files or folders in it (default: vae in --models-dir)");
  app.add_option("--taesd-dir", flags.folders.taesd,
                 "taesd_decoder.safetensors and taesdxl_decoder.safetensors, for previews (default: taesd in "
                 "--models-dir)");
  app.add_option("--tokenizer", flags.folders.tokenizer,
                 "Folder with vocab.json and merges.txt, for single-file checkpoints");
  app.add_flag("--preload", flags.preload,
               "Load the models before taking jobs, not with the first job of each");
}

void add_device_flags(CLI::App& app, pipeline::DeviceKind kind, Flags& flags) {
  if (kind == pipeline::DeviceKind::cuda) {
    app.add_option("--cuda-device", flags.device_index, "Index of the CUDA device")
        ->check(CLI::NonNegativeNumber);
  } else if (kind == pipeline::DeviceKind::metal) {
    app.add_option("--metal-device", flags.device_index, "Index of the Metal device")
        ->check(CLI::NonNegativeNumber);
  } else {
    app.add_option("--threads", flags.threads,
                   "Compute threads; 0: as many as the affinity has cores and the container's quota allows")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--share", flags.share,
                   "Of those cores one of so many equal parts, for as many workers on one machine")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }
  app.add_option("--precision", flags.precision,
                 "auto, fp32, bf16, fp16 or int8 (on a CPU; a little off, see README)")
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "fp16", "int8"}))
      ->capture_default_str();
  const auto memory = [&](const char* name, std::uint64_t& bytes, const char* text) {
    app.add_option(name, bytes, text)->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))->type_name("SIZE");
  };
  memory("--memory-budget", flags.memory_budget,
         "What a step or a decode may take beside the weights, such as 6G; jobs that need more are refused "
         "(default: four fifths of what is free, less the weights)");
  memory(
      "--model-memory", flags.model_memory,
      "What loaded models may take together, such as 12G; the longest unused are given up (default: half of "
      "what is free)");
  app.add_option(
         "--weight-cache", flags.weight_cache,
         "Keep weights here as this machine multiplies them, for the next start and for other workers "
         "(default: nowhere)")
      ->type_name("DIR");
  memory("--weight-cache-size", flags.weight_cache_size,
         "What --weight-cache may take; the longest unused go first (default: 32G)");
  app.add_flag("--use-f16", flags.use_f16, "The same as --precision fp16");
  app.add_flag("--use-flash-attn", flags.use_flash_attention,
               "Kept for older scripts: the fastest attention of the device is always used");
}

void add_queue_flags(CLI::App& app, Flags& flags) {
  program::add_connect_flag(app, flags.connect);
  program::add_client_key_flags(app, flags.keys);
  app.add_option("--redis-url,--redis", flags.redis_url,
                 "redis://[user:password@]host[:port][/db], unix:///path, or "
                 "redis-sentinel://[user:password@]host[:port],...[/db]?master=name")
      ->capture_default_str();
  app.add_option("--redis-prefix", flags.redis_prefix, "Before the name of every key in Redis")
      ->capture_default_str();
  app.add_option("--capacity", flags.capacity, "Jobs at once; 0: 1 on a CPU, 4 on a GPU")
      ->check(CLI::Range(0, 64));
  const auto seconds = [&](const char* name, double& value, const char* text, double least, double most) {
    app.add_option(name, value, text)->check(CLI::Range(least, most))->capture_default_str();
  };
  seconds("--lease", flags.lease_s, "Seconds that a claimed job stays with this worker when it falls silent",
          0.1, 3600);
  seconds("--idle-poll", flags.idle_poll_s, "Seconds between looks at the queue without an announcement",
          0.01, 3600);
  seconds("--drain-timeout", flags.drain_timeout_s, "Seconds to finish what is in hand when told to stop", 0,
          86400);
  seconds("--stall-after", flags.stall_s,
          "Seconds without a step that mean a hanging device (at least 10 steps)", 0.1, 86400);
  seconds("--attempt-limit", flags.attempt_s_per_step, "Seconds per step of 512x512 that an attempt may take",
          0.001, 86400);
  seconds("--keep-jobs", flags.keep_jobs_h, "Hours that an ended job is kept", 0.001, 8760);
  seconds("--keep-images", flags.keep_images_h, "Hours that its images are kept; 0: as long as the job", 0,
          8760);
  app.add_option("--breaker", flags.breaker, "Own failures in a row after which the worker leaves service")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace

void add_flags(CLI::App& app, pipeline::DeviceKind kind, Flags& flags) {
  app.add_option("--worker-id", flags.worker_id, "1 to 64 of A-Z a-z 0-9 . _ -; drawn when absent");
  add_model_flags(app, flags);
  add_device_flags(app, kind, flags);
  add_queue_flags(app, flags);
  // Not in --help: makes no pictures.
  app.add_option("--null-renderer", flags.null_step_ms, "Take this long for a step (50ms) and render nothing")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"us", 0.001}, {"ms", 1}, {"s", 1000}}))
      ->group("");
  app.add_option("--null-image-bytes", flags.null_image_bytes, "The least size of its pictures")->group("");
  app.add_option("--null-model", flags.null_models, "The models that the null renderer says it has")
      ->group("");
}

std::optional<std::string> family_of_version(std::string_view sd_version) {
  const auto* found = std::find_if(kVersions.begin(), kVersions.end(),
                                   [&](const Version& version) { return version.name == sd_version; });
  if (found == kVersions.end()) return std::nullopt;
  return std::string(found->family);
}

Result<Settings> read_settings(const Flags& flags, pipeline::DeviceKind kind) {
  Settings settings;
  settings.id = WorkerId(flags.worker_id.empty() ? drawn_id() : flags.worker_id);
  if (!is_valid_worker_id(settings.id.value))
    return invalid("--worker-id must be 1 to 64 of A-Z a-z 0-9 . _ -");
  settings.version = program::version();
  auto queens = program::parse_queens(flags.connect);
  if (!queens) return std::move(queens).error();
  settings.queens = std::move(queens).value();
  auto security = program::read_keys(flags.keys);
  if (!security) return std::move(security).error();
  settings.security = std::move(security).value();
  auto redis = ledger::parse_redis_url(flags.redis_url);
  if (!redis) return std::move(redis).error();
  settings.redis = std::move(redis).value();
  settings.redis.prefix = flags.redis_prefix;
  settings.policy.lease = milliseconds(flags.lease_s);
  settings.policy.job_ttl = std::chrono::seconds(static_cast<std::int64_t>(flags.keep_jobs_h * 3600));
  // Images are found by their job's record, so they do not outlive it.
  const double image_h =
      flags.keep_images_h > 0 ? std::min(flags.keep_images_h, flags.keep_jobs_h) : flags.keep_jobs_h;
  settings.policy.image_ttl = std::chrono::seconds(static_cast<std::int64_t>(image_h * 3600));
  settings.capacity = flags.capacity > 0 ? flags.capacity : kind == pipeline::DeviceKind::cpu ? 1 : 4;
  settings.idle_poll = milliseconds(flags.idle_poll_s);
  settings.drain_timeout = milliseconds(flags.drain_timeout_s);
  settings.stall_floor = std::chrono::duration<double>(flags.stall_s);
  settings.stall_first = 20 * settings.stall_floor;
  settings.attempt_per_step = std::chrono::duration<double>(flags.attempt_s_per_step);
  settings.breaker_limit = flags.breaker;
  return settings;
}

Result<std::unique_ptr<Renderer>> make_renderer(const Flags& flags, pipeline::DeviceKind kind) {
  if (flags.null_step_ms >= 0) {
    NullRendererOptions options;
    options.step = std::chrono::microseconds(static_cast<std::int64_t>(flags.null_step_ms * 1000));
    options.models = flags.null_models;
    options.image_bytes = flags.null_image_bytes;
    return std::unique_ptr<Renderer>(std::make_unique<NullRenderer>(std::move(options)));
  }
  const pipeline::Device device{kind, flags.device_index};
  if (auto present = pipeline::check_device(device); !present) return std::move(present).error();
  if (flags.use_f16 && flags.precision != "auto" && flags.precision != "fp16") {
    return invalid("--use-f16 and --precision " + flags.precision + " contradict each other");
  }
  if (!flags.sd_version.empty() && flags.model_path.empty())
    return invalid("--sd-version needs --model-path");

  pipeline::Options options;
  options.version = program::version();
  options.folders = flags.folders;
  if (!flags.models_dir.empty()) pipeline::use_folders_beside(flags.models_dir, options.folders);
  options.family = family_of_version(flags.sd_version).value_or("");

  std::vector<pipeline::Catalogue::Entry> models;
  if (!flags.model_path.empty()) {
    auto single = pipeline::Catalogue::single(flags.model_path, options.folders.tokenizer, options.family);
    if (!single) return std::move(single).error();
    models = single->entries();
    const auto wanted = family_of_version(flags.sd_version);
    if (wanted && !models.empty() && models.front().model.family != *wanted) {
      return Error{ErrorCode::model_mismatch, flags.model_path.string() + " is a model of the family " +
                                                  models.front().model.family + ", --sd-version " +
                                                  flags.sd_version + " means " + *wanted};
    }
  }
  if (!flags.models_dir.empty()) {
    auto found = pipeline::Catalogue::scan(flags.models_dir, options.folders.tokenizer);
    if (!found) return std::move(found).error();
    for (const std::string& line : found->skipped()) spdlog::warn("not a model: {}", line);
    models.insert(models.end(), found->entries().begin(), found->entries().end());
  }
  if (models.empty()) return invalid("no model to serve: give --model-path or --models-dir");

  options.device = device;
  options.memory_budget_bytes = static_cast<std::int64_t>(flags.memory_budget);
  options.model_memory_bytes = static_cast<std::int64_t>(flags.model_memory);
  options.weight_cache = flags.weight_cache;
  options.weight_cache_bytes = static_cast<std::int64_t>(flags.weight_cache_size);
  options.precision =
      flags.use_f16 ? pipeline::Precision::fp16
                    : pipeline::precision_from_name(flags.precision).value_or(pipeline::Precision::automatic);
  options.threads = flags.threads;
  options.share = flags.share;
  auto renderer = std::make_unique<PipelineRenderer>(std::move(options), models);
  for (std::size_t i = 0; flags.preload && i < models.size(); ++i) {
    if (auto loaded = renderer->load(models[i].model.name); !loaded) return std::move(loaded).error();
  }
  return std::unique_ptr<Renderer>(std::move(renderer));
}

}  // namespace waggle::worker
