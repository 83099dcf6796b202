// What an operator may set on a worker, and what becomes of it: settings of the queue and a renderer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consumer/program/key_files.h"
#include "consumer/worker/renderer.h"
#include "consumer/worker/settings.h"
#include "pipeline/pipeline.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::worker {

/// The flags as they are typed.
struct Flags {
  std::string worker_id;
  // the models
  std::filesystem::path model_path, models_dir;
  pipeline::Folders folders;
  std::string sd_version;
  bool preload = false;
  // the device
  int device_index = 0;
  std::string precision = "auto";
  bool use_f16 = false, use_flash_attention = false;
  int threads = 0, share = 1;
  std::uint64_t memory_budget = 0, model_memory = 0;          // bytes; 0: what the machine has
  std::filesystem::path weight_cache;                         // empty: none
  std::uint64_t weight_cache_size = std::uint64_t{32} << 30;  // bytes
  // the queue
  std::vector<std::string> connect;
  program::KeyFiles keys;
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_prefix = "waggle:";
  int capacity = 0;
  double lease_s = 15, idle_poll_s = 1, drain_timeout_s = 60, stall_s = 30, attempt_s_per_step = 60,
         keep_jobs_h = 24, keep_images_h = 0;
  int breaker = 5;
  // for measurements of the queue
  double null_step_ms = -1;
  std::size_t null_image_bytes = 0;
  std::vector<std::string> null_models{"null"};
};

/// The device's own flags (--cuda-device, --metal-device) are added for its kind alone.
void add_flags(CLI::App& app, pipeline::DeviceKind kind, Flags& flags);

/// Errors: invalid_request and io_error, in one line.
Result<Settings> read_settings(const Flags& flags, pipeline::DeviceKind kind);

/// Finds the models and opens the device; loads no weights unless asked to. Errors: device_error,
/// model_load_failed, model_mismatch, invalid_request.
Result<std::unique_ptr<Renderer>> make_renderer(const Flags& flags, pipeline::DeviceKind kind);

/// The family that a value of --sd-version stands for; nothing for an unknown value.
std::optional<std::string> family_of_version(std::string_view sd_version);

}  // namespace waggle::worker
