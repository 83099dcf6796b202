// What a client may ask for: the three operations and the fields all of them share.
//
// Plain structs. Validation is schemas/validate.h, bytes are schemas/codec. An absent optional means "what
// suits the model" (steps, guidance, size, sampler) or "draw one" (seed); the worker reports what it used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schemas/ids.h"

namespace waggle {

/// A picture in a request: its encoded bytes (PNG, JPEG, WebP), or, once admitted, a reference to the blob
/// store.
struct PictureInput {
  std::variant<std::string, BlobId> source;  ///< index 0: encoded bytes; index 1: reference

  bool operator==(const PictureInput&) const = default;
  [[nodiscard]] bool is_reference() const noexcept { return source.index() == 1; }
};

/// A LoRA by the name of its file inside the worker's LoRA folder.
struct Lora {
  std::string path;
  double strength = 1.0;
  bool operator==(const Lora&) const = default;
};

/// A ControlNet by the name of its folder inside the worker's ControlNet folder, and the picture that it
/// sees.
struct ControlInput {
  std::string path;
  PictureInput image;             ///< edges, depth, a pose: what this ControlNet was trained on
  double strength = 1.0;          ///< scale of what it adds
  double start = 0.0, end = 1.0;  ///< share of the steps in which it acts
  bool guess_mode = false;        ///< it acts on the prompt's half alone, early layers less than late ones
  bool operator==(const ControlInput&) const = default;
};

/// Shares of a run, counted from its beginning.
struct Interval {
  double from = 0.0, to = 1.0;
  bool operator==(const Interval&) const = default;
};

enum class OutputFormat : std::uint8_t { png, jpeg, webp };
std::string_view name(OutputFormat format) noexcept;        ///< "png", "jpeg", "webp"
std::string_view media_type(OutputFormat format) noexcept;  ///< "image/png", ...
std::optional<OutputFormat> output_format_from_name(std::string_view name) noexcept;

/// How the first picture of a hires job is enlarged: its latents, or its pixels.
enum class Upscaler : std::uint8_t { latent, latent_bicubic, latent_nearest, lanczos, nearest };
std::string_view name(Upscaler upscaler) noexcept;  ///< "latent", "latent-bicubic", ..., "lanczos", "nearest"
std::optional<Upscaler> upscaler_from_name(std::string_view name) noexcept;
bool enlarges_latents(Upscaler upscaler) noexcept;

/// Generate small, enlarge, and paint the large picture over the enlarged one. The size is `scale` times that
/// of the operation, rounded down to whole latent cells, or `width` x `height`.
struct Hires {
  std::optional<double> scale;       ///< 2 when there is no width and height either
  std::optional<int> width, height;  ///< pixels, both or none
  Upscaler upscaler = Upscaler::latent;
  std::optional<int> steps;  ///< of the second pass's schedule; those of the job when absent
  double strength = 0.7;     ///< 0..1: share of that schedule that is run, as for image to image
  bool operator==(const Hires&) const = default;
};

/// A model that takes over for the last steps, such as SDXL's refiner. It works on the same latents.
struct Refiner {
  std::string model;
  double start = 0.8;  ///< share of the training timesteps, counted from noise, after which it takes over
  bool operator==(const Refiner&) const = default;
};

/// Text to image.
struct ImageGeneration {
  std::optional<int> width, height;  ///< pixels; 512 unless the model says otherwise
  std::optional<Hires> hires = {};
  bool operator==(const ImageGeneration&) const = default;
};

/// Image to image.
struct ImageTransform {
  PictureInput input_image;
  double strength = 0.8;             ///< 0..1: share of the schedule that is run
  std::optional<int> width, height;  ///< pixels; the picture's own size, rounded down to a multiple of 8
  bool operator==(const ImageTransform&) const = default;
};

/// Inpainting: white mask pixels are painted anew, black ones kept.
struct ImageInpaint {
  PictureInput init_image;
  PictureInput mask_image;
  double strength = 1.0;
  std::optional<int> width, height;
  std::optional<double> mask_blur = {};  ///< standard deviation in pixels of the blur of the mask's edge
  /// Only what is around the mask is rendered, with so many pixels beside it, at the size of the job, and put
  /// back into the picture at the picture's own size.
  std::optional<int> only_masked_padding = {};
  bool paste_back = false;  ///< kept pixels stay as they were, to the bit
  bool operator==(const ImageInpaint&) const = default;
};

using Operation = std::variant<ImageGeneration, ImageTransform, ImageInpaint>;

/// The value of the `operation` field: "image_generation", "image_transform" or "image_inpaint".
std::string_view name(const Operation& operation) noexcept;

/// One job as its client describes it. Defaults are DESIGN's; units and ranges are in schemas/limits.h.
struct JobRequest {
  std::string hive_id;  ///< kept and reported, never used for routing
  std::string model;
  std::string prompt;
  std::string negative_prompt;
  bool has_negative_prompt = false;  ///< SDXL tells an absent negative prompt from an empty one
  std::optional<int> steps;
  std::optional<double> guidance_scale;
  std::optional<std::int64_t> seed;  ///< image i uses seed + i
  std::optional<std::string> sampler;
  std::optional<std::string> schedule;
  std::optional<int> clip_skip;
  // What a job may leave out knowingly, for speed; absent: nothing.
  std::optional<Interval> guidance_interval;  ///< guidance acts on evaluation i of n when from <= i / n < to
  std::optional<int> deep_cache;  ///< the UNet's deep levels are computed at every so-many-th evaluation
  std::optional<double> token_merging;  ///< share of the finest tokens merged before self attention
  std::vector<Lora> loras;
  std::vector<ControlInput> controls;
  std::optional<Refiner> refiner;
  std::optional<std::string> vae;  ///< by its name inside the worker's VAE folder; absent: the model's own
  std::optional<WorkerId> worker_id;
  int n = 1;
  OutputFormat output_format = OutputFormat::png;
  std::optional<int> preview_every;  ///< a preview each so many steps
  int priority = 0;
  std::optional<double> deadline_s;  ///< seconds from admission
  int max_attempts = 3;
  std::optional<std::string> idempotency_key;
  std::optional<std::string> tenant;
  std::optional<std::string> traceparent;  ///< W3C trace context, carried through unread
  Operation operation = ImageGeneration{};

  bool operator==(const JobRequest&) const = default;
};

}  // namespace waggle
