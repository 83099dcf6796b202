// The ranges of a request's fields, one line per field in the order of the protocol's table. Looks at values
// only: what a picture shows, and which models, samplers and workers exist, others find out.
#include "schemas/validate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>

#include "schemas/limits.h"
#include "schemas/picture_header.h"

namespace waggle {

namespace {

bool has_control_character(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool has_parent_segment(std::string_view path) noexcept {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (path.substr(begin, end - begin) == "..") return true;
    begin = end + 1;
  }
  return false;
}

template <class Number>
std::string text_of(Number number) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number);
  return error == std::errc{} ? std::string(buffer, end) : std::string("?");
}

// Collects what is wrong. Every check names the range, so that the message is the documentation.
class Checker {
 public:
  explicit Checker(std::string_view prefix) : prefix_(prefix) {}

  void add(std::string_view path, std::string message) {
    errors_.push_back({prefix_ + std::string(path), std::move(message)});
  }

  template <class Number>
  bool range(std::string_view path, Number value, std::type_identity_t<Number> low,
             std::type_identity_t<Number> high) {
    if (value >= low && value <= high) return true;  // false for NaN
    add(path, "must be between " + text_of(low) + " and " + text_of(high) + ", is " + text_of(value));
    return false;
  }

  // Above zero, at most `high`.
  void positive(std::string_view path, double value, double high) {
    if (value > 0 && value <= high) return;
    add(path, "must be greater than 0 and at most " + text_of(high) + ", is " + text_of(value));
  }

  // Valid UTF-8 of at most so many bytes, without control characters unless they are allowed (prompts have
  // line breaks).
  bool text(std::string_view path, std::string_view value, std::size_t max_bytes,
            bool control_allowed = false) {
    if (value.size() > max_bytes) {
      add(path, "must be at most " + text_of(max_bytes) + " bytes, is " + text_of(value.size()));
    } else if (!is_valid_utf8(value)) {
      add(path, "must be valid UTF-8 without NUL");
    } else if (!control_allowed && has_control_character(value)) {
      add(path, "must not contain control characters");
    } else {
      return true;
    }
    return false;
  }

  // A name: not empty, at most `max_bytes`, no control characters.
  bool label(std::string_view path, std::string_view value, std::size_t max_bytes) {
    if (!value.empty()) return text(path, value, max_bytes);
    add(path, "must not be empty");
    return false;
  }

  void token(std::string_view path, std::string_view value) {
    if (is_valid_worker_id(value)) return;
    add(path, "must be 1 to " + text_of(limits::kMaxIdBytes) + " characters of A-Z a-z 0-9 . _ -");
  }

  std::vector<FieldError> take() { return std::move(errors_); }

 private:
  std::string prefix_;
  std::vector<FieldError> errors_;
};

void check_model(Checker& check, std::string_view path, const std::string& model) {
  if (!check.label(path, model, limits::kMaxNameBytes)) return;
  // "@" would make the announcement's topic that of a worker.
  if (model.front() == '/' || model.front() == '@') {
    check.add(path, "must not begin with '/' or '@'");
  } else if (has_parent_segment(model)) {
    check.add(path, "must not contain '..'");
  }
}

void check_seed(Checker& check, std::int64_t seed, int n) {
  if (!check.range("/seed", seed, 0, limits::kMaxSeed)) return;
  if (n < 1 || n > limits::kMaxImagesPerJob || seed <= limits::kMaxSeed - (n - 1)) return;
  check.add("/seed", "must be at most " + text_of(limits::kMaxSeed - (n - 1)) + " for n = " + text_of(n) +
                         " (image i uses seed + i), is " + text_of(seed));
}

void check_file_name(Checker& check, std::string_view path, const std::string& name) {
  if (!check.label(path, name, limits::kMaxNameBytes)) return;
  const bool leaves_folder =
      name.find_first_of("/\\") != std::string::npos || name.find("..") != std::string::npos || name == ".";
  if (leaves_folder) check.add(path, "must be a file name without '/', '\\' or '..'");
}

void check_loras(Checker& check, const std::vector<Lora>& loras) {
  if (loras.size() > limits::kMaxLoras) {
    check.add("/loras",
              "must have at most " + text_of(limits::kMaxLoras) + " entries, has " + text_of(loras.size()));
    return;
  }
  for (std::size_t i = 0; i < loras.size(); ++i) {
    const std::string at = "/loras/" + std::to_string(i);
    check_file_name(check, at + "/path", loras[i].path);
    check.range(at + "/strength", loras[i].strength, limits::kMinLoraStrength, limits::kMaxLoraStrength);
  }
}

bool check_side(Checker& check, std::string_view path, const std::optional<int>& side) {
  if (!side) return false;
  if (!check.range(path, *side, limits::kMinSide, limits::kMaxSide)) return false;
  if (*side % limits::kSideMultiple == 0) return true;
  check.add(path, "must be a multiple of " + text_of(limits::kSideMultiple) + ", is " + text_of(*side));
  return false;
}

void check_size(Checker& check, const std::optional<int>& width, const std::optional<int>& height,
                const std::string& at = "") {
  const bool good_width = check_side(check, at + "/width", width);
  const bool good_height = check_side(check, at + "/height", height);
  if (!good_width || !good_height) return;
  const std::int64_t pixels = std::int64_t{*width} * *height;
  if (pixels <= limits::kMaxPixels) return;
  check.add(at + "/width",
            "width * height must be at most " + text_of(limits::kMaxPixels) + ", is " + text_of(pixels));
}

void check_hires(Checker& check, const Hires& hires, const ImageGeneration& first) {
  if (hires.width.has_value() != hires.height.has_value())
    check.add(hires.width ? "/hires/height" : "/hires/width", "must be given together with the other side");
  if (hires.scale && (hires.width || hires.height))
    check.add("/hires/scale", "must not be given beside a width and a height");
  check_size(check, hires.width, hires.height, "/hires");
  if (hires.scale && check.range("/hires/scale", *hires.scale, 1, limits::kMaxHiresScale)) {
    const int side = std::max(first.width.value_or(0), first.height.value_or(0));
    if (side <= limits::kMaxSide && side * *hires.scale >= limits::kMaxSide + limits::kSideMultiple)
      check.add("/hires/scale", "makes a side longer than " + text_of(limits::kMaxSide) + " pixels");
  }
  if (hires.steps) check.range("/hires/steps", *hires.steps, limits::kMinSteps, limits::kMaxSteps);
  check.positive("/hires/strength", hires.strength, 1.0);
}

void check_refiner(Checker& check, const Refiner& refiner) {
  check_model(check, "/refiner/model", refiner.model);
  if (!(refiner.start > 0 && refiner.start < 1))
    check.add("/refiner/start", "must be greater than 0 and below 1, is " + text_of(refiner.start));
}

void check_picture(Checker& check, std::string_view path, const PictureInput& picture) {
  if (const BlobId* reference = std::get_if<BlobId>(&picture.source)) {
    if (!is_valid_blob_id(reference->value)) {
      check.add(path, "must be 'sha256:' and 64 lower-case hexadecimal digits");
    }
    return;
  }
  const std::string& bytes = *std::get_if<std::string>(&picture.source);
  if (bytes.empty()) {
    check.add(path, "must not be empty");
  } else if (bytes.size() > limits::kMaxPictureBytes) {
    check.add(path,
              "must be at most " + text_of(limits::kMaxPictureBytes) + " bytes, is " + text_of(bytes.size()));
  } else if (const auto header = read_picture_header(bytes); !header) {
    check.add(path, header.error().message);
  } else if (header->width > limits::kMaxPicturePixels / header->height) {
    check.add(path, "must have at most " + text_of(limits::kMaxPicturePixels) + " pixels, has " +
                        text_of(header->width) + "x" + text_of(header->height));
  }
}

void check_controls(Checker& check, const std::vector<ControlInput>& controls) {
  if (controls.size() > limits::kMaxControls) {
    check.add("/controls", "must have at most " + text_of(limits::kMaxControls) + " entries, has " +
                               text_of(controls.size()));
    return;
  }
  for (std::size_t i = 0; i < controls.size(); ++i) {
    const ControlInput& control = controls[i];
    const std::string at = "/controls/" + std::to_string(i);
    check_file_name(check, at + "/path", control.path);
    check_picture(check, at + "/image", control.image);
    check.range(at + "/strength", control.strength, 0, limits::kMaxControlStrength);
    const bool good_start = check.range(at + "/start", control.start, 0, 1);
    const bool good_end = check.range(at + "/end", control.end, 0, 1);
    if (good_start && good_end && control.start > control.end)
      check.add(at + "/start", "must not be after the end");
  }
}

void check_shortcuts(Checker& check, const JobRequest& request) {
  if (const auto& interval = request.guidance_interval) {
    const bool good_from = check.range("/guidance_interval/0", interval->from, 0, 1);
    const bool good_to = check.range("/guidance_interval/1", interval->to, 0, 1);
    if (good_from && good_to && interval->from > interval->to)
      check.add("/guidance_interval", "must not end before it begins");
  }
  if (request.deep_cache && check.range("/deep_cache", *request.deep_cache, 1, limits::kMaxDeepCache) &&
      *request.deep_cache > 1 && !request.controls.empty())
    check.add("/deep_cache",
              "must be 1 or absent beside controls: ControlNets act on the levels that it leaves out");
  if (request.token_merging)
    check.range("/token_merging", *request.token_merging, 0, limits::kMaxTokenMerging);
}

struct CheckOperation {
  Checker& check;

  void operator()(const ImageGeneration& op) const {
    check_size(check, op.width, op.height);
    if (op.hires) check_hires(check, *op.hires, op);
  }
  void operator()(const ImageTransform& op) const {
    check_picture(check, "/input_image", op.input_image);
    check.positive("/strength", op.strength, 1.0);
    check_size(check, op.width, op.height);
  }
  void operator()(const ImageInpaint& op) const {
    check_picture(check, "/init_image", op.init_image);
    check_picture(check, "/mask_image", op.mask_image);
    check.positive("/strength", op.strength, 1.0);
    check_size(check, op.width, op.height);
    if (op.mask_blur) check.range("/mask_blur", *op.mask_blur, 0, limits::kMaxMaskBlur);
    if (op.only_masked_padding)
      check.range("/only_masked_padding", *op.only_masked_padding, 0, limits::kMaxMaskPadding);
  }
};

}  // namespace

std::vector<FieldError> validate(const JobRequest& request, std::string_view prefix) {
  using namespace limits;
  Checker check(prefix);
  check.text("/hive_id", request.hive_id, kMaxNameBytes);
  check_model(check, "/model", request.model);
  check.text("/prompt", request.prompt, kMaxPromptBytes, /*control_allowed=*/true);
  check.text("/negative_prompt", request.negative_prompt, kMaxPromptBytes, /*control_allowed=*/true);
  if (request.steps) check.range("/steps", *request.steps, kMinSteps, kMaxSteps);
  if (request.guidance_scale)
    check.range("/guidance_scale", *request.guidance_scale, kMinGuidance, kMaxGuidance);
  if (request.seed) check_seed(check, *request.seed, request.n);
  if (request.sampler) check.label("/sampler", *request.sampler, kMaxNameBytes);
  if (request.schedule) check.label("/schedule", *request.schedule, kMaxNameBytes);
  if (request.clip_skip) check.range("/clip_skip", *request.clip_skip, 0, kMaxClipSkip);
  check_shortcuts(check, request);
  check_loras(check, request.loras);
  check_controls(check, request.controls);
  if (request.refiner) check_refiner(check, *request.refiner);
  if (request.vae) check_file_name(check, "/vae", *request.vae);
  if (request.worker_id) check.token("/worker_id", request.worker_id->value);
  check.range("/n", request.n, 1, kMaxImagesPerJob);
  if (request.preview_every) check.range("/preview_every", *request.preview_every, 1, kMaxPreviewEvery);
  check.range("/priority", request.priority, kMinPriority, kMaxPriority);
  if (request.deadline_s) check.positive("/deadline_s", *request.deadline_s, kMaxDeadlineSeconds);
  check.range("/max_attempts", request.max_attempts, 1, kMaxAttempts);
  if (request.idempotency_key)
    check.label("/idempotency_key", *request.idempotency_key, kMaxIdempotencyKeyBytes);
  if (request.tenant) check.token("/tenant", *request.tenant);
  if (request.traceparent) check.text("/traceparent", *request.traceparent, kMaxNameBytes);
  std::visit(CheckOperation{check}, request.operation);
  return check.take();
}

Error invalid_request(std::vector<FieldError> fields) {
  std::string message = "the request is not valid";
  if (fields.size() == 1) message = "1 field is wrong";
  if (fields.size() > 1) message = std::to_string(fields.size()) + " fields are wrong";
  return {ErrorCode::invalid_request, std::move(message), std::move(fields), std::nullopt};
}

}  // namespace waggle
