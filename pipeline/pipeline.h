// The one public face of the pipeline: open models, hand over jobs with callbacks, cancel them. No tensors
// here.
//
// The engine behind it owns the device and one thread on which all model code runs. It gathers what the
// samplers of all running jobs ask into one UNet call, so a job joins or leaves the batch between any two
// steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schemas/job.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

enum class DeviceKind : std::uint8_t { cpu, cuda, metal };

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;
};
std::string to_string(Device device);  ///< "cpu", "cuda:0", "metal:0"
/// Done when this libtorch and this machine have the device, else device_error with the reason in one line.
Status check_device(Device device);
/// A name for people: "AMD EPYC, 2 threads", "NVIDIA H100". `threads`: what Pipeline::threads() says.
std::string device_name(Device device, int threads);

/// int8: what `automatic` is on a CPU, but the UNet's and ControlNets' convolutions and linear layers in
/// bytes.
enum class Precision : std::uint8_t { automatic, fp32, bf16, fp16, int8 };
std::string_view name(Precision precision) noexcept;
std::optional<Precision> precision_from_name(std::string_view name) noexcept;

/// Where the files are that models do not hold themselves and that requests may name. Empty: nothing is
/// found.
struct Folders {
  std::filesystem::path tokenizer;    ///< for single files, which carry none
  std::filesystem::path loras;        ///< files
  std::filesystem::path controlnets;  ///< folders and files
  std::filesystem::path embeddings;   ///< textual-inversion files, that prompts name
  std::filesystem::path vaes;         ///< folders and files
  std::filesystem::path taesd;        ///< small decoders; without them previews are linear
};

struct Options {
  Device device{};
  Precision precision = Precision::automatic;
  int threads = 0;    ///< compute threads on a CPU; 0: what affinity, cores and the container's quota allow
  int share = 1;      ///< of those the pipeline takes one of so many equal parts, when `threads` is 0
  int max_batch = 8;  ///< images that share one UNet call (guidance counts once)
  /// What a step or a decode may take beside the weights; a job that needs more is refused. 0: four fifths of
  /// what the device has free at start, less the weights in memory.
  std::int64_t memory_budget_bytes = 0;
  /// Of the models that are kept loaded, with LoRAs or without; the longest unused are given up beyond it. 0:
  /// half of what the device has free at start.
  std::int64_t model_memory_bytes = 0;
  /// Where weights are kept as this machine multiplies them, for the next process that loads the same files;
  /// empty: nowhere. Others may write into the folder at the same time.
  std::filesystem::path weight_cache;
  std::int64_t weight_cache_bytes = std::int64_t{32} << 30;  ///< of its files; the longest unused go first
  Folders folders;
  std::string family;   ///< of single files that do not say theirs, see describe_model
  std::string version;  ///< of the program, written into pictures
  /// Sees the details that errors leave out (they may reach strangers): one line each, on the engine's
  /// threads.
  std::function<void(const std::string& line)> log;
};

/// What a model says of itself, read from its configuration without its weights.
struct ModelDescription {
  std::string name;
  std::string
      family;  ///< "sd15", "sd15-inpaint", "sd21", "sd21-inpaint", "sdxl", "sdxl-inpaint", "turbo", ...
  std::filesystem::path path;
  int default_width = 512, default_height = 512;  ///< pixels
  int default_steps = 20;
  double default_guidance = 7.5;
  std::string default_sampler;  ///< registry name, from the model's scheduler_config.json
};

/// Reads the configuration of a diffusers folder or a single checkpoint. Errors: model_load_failed, naming
/// the file.
/// `family`: what a single file is taken for where its tensors leave a choice ("sd21", "sdxl", "turbo");
/// a file `<checkpoint>.json` beside it with a "family" has the last word.
Result<ModelDescription> describe_model(const std::filesystem::path& path, std::string name,
                                        const std::filesystem::path& tokenizer_dir = {},
                                        const std::string& family = {});

struct Preview {
  int index = 0;  ///< image of the job
  int step = 0, total = 0;
  OutputFormat format = OutputFormat::jpeg;
  std::string bytes;  ///< encoded
};

struct RenderedImage {
  ImageInfo info;
  std::string bytes;  ///< encoded, with the parameters inside
};

struct RenderSummary {
  JobRequest resolved;  ///< every default filled in: rendering it again gives the same pixels
  double queue_s = 0, encode_s = 0, denoise_s = 0, decode_s = 0;  ///< seconds
};

/// Called on the engine's threads; must not block for long and must not throw. Order: progress and previews,
/// images as they are done, then `end` exactly once and last.
struct Callbacks {
  std::function<void(int step, int total)> progress;
  std::function<void(Preview)> preview;
  std::function<void(RenderedImage)> image;
  std::function<void(Result<RenderSummary>)> end;
};

struct RenderJob {
  std::string model;      ///< a name given to load()
  JobRequest request;     ///< pictures as bytes, not as references
  std::string refiner;    ///< a name given to load(), for the request's refiner; empty: its own word for it
  std::vector<int> done;  ///< image indices that need not be rendered again
  /// The resolved request as the text of the picture's JSON chunk; absent: the chunk is left out.
  std::function<std::string(const JobRequest& resolved)> describe;
  Callbacks callbacks;

  [[nodiscard]] const std::string& refiner_name() const {
    return refiner.empty() ? request.refiner->model : refiner;
  }
};

using Ticket = std::uint64_t;

struct EngineStats {
  std::int64_t jobs_running = 0;
  std::int64_t unet_calls = 0;         ///< since start
  std::int64_t unet_images = 0;        ///< images over those calls: above unet_calls when jobs shared them
  std::int64_t unet_rows = 0;          ///< a guided image has two; without the shallow ones
  std::int64_t unet_shallow_rows = 0;  ///< rows that asked the outermost layers alone (deep cache)
  std::int64_t text_encoder_runs = 0;  ///< chunks of 77 ids that went through a text encoder, since start
  std::int64_t text_cache_hits = 0;    ///< chunks whose encoding was remembered
  double unet_s = 0;                   ///< seconds inside UNet calls, since start
  double step_median_s = 0;            ///< of the recent UNet calls
  double since_progress_s = 0;         ///< since the last UNet call ended; 0 when idle
  std::int64_t memory_used_bytes = 0, memory_total_bytes = 0;
};

class Pipeline {
 public:
  /// Throws std::runtime_error when the device is missing (ask check_device first).
  explicit Pipeline(Options options);
  /// Cancels what runs, waits for the step in hand, ends every job.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Maps and converts the weights; does not stop the running batch. Loading a name again replaces nothing
  /// and returns at once. A model that was given up for others is loaded again when a job asks for it.
  /// Errors: model_load_failed with file, tensor and offset; out_of_memory with both numbers.
  Result<ModelDescription> load(const std::filesystem::path& path, const std::string& name);
  void unload(const std::string& name);
  [[nodiscard]] std::int64_t model_bytes(const std::string& name) const;  ///< in memory; 0: not loaded

  /// Queues the job for the next step boundary; thread-safe. `end` is called in every case, also for bad
  /// requests.
  Ticket render(RenderJob job);
  /// The job ends with `cancelled` between two UNet calls; unknown tickets are ignored; thread-safe.
  void cancel(Ticket ticket);

  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] int threads() const;            ///< compute threads on a CPU; 0 on other devices
  [[nodiscard]] std::string precision() const;  ///< what `auto` came to: "fp32", "bf16", "fp16"; or "int8"

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

/// Names that `sampler` and `schedule` accept, canonical names first in each row, aliases after.
std::vector<std::vector<std::string>> sampler_names();
std::vector<std::vector<std::string>> schedule_names();

}  // namespace waggle::pipeline
