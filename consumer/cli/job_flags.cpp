// Flags to JobRequest, and validation errors back to flags.
#include "consumer/cli/job_flags.h"

#include <array>
#include <charconv>
#include <iterator>

#include <CLI/CLI.hpp>

#include "consumer/cli/output_file.h"
#include "schemas/limits.h"
#include "schemas/validate.h"

namespace waggle::cli {

namespace {

struct FieldFlag {
  std::string_view path;  ///< JSON pointer, or its beginning
  std::string_view flag;
};

constexpr std::array kFieldFlags{
    FieldFlag{"/prompt", "the prompt"},
    FieldFlag{"/negative_prompt", "--negative"},
    FieldFlag{"/model", "--model"},
    FieldFlag{"/steps", "--steps"},
    FieldFlag{"/guidance_scale", "--guidance"},
    FieldFlag{"/seed", "--seed"},
    FieldFlag{"/width", "--size: the width"},
    FieldFlag{"/height", "--size: the height"},
    FieldFlag{"/sampler", "--sampler"},
    FieldFlag{"/schedule", "--schedule"},
    FieldFlag{"/clip_skip", "--clip-skip"},
    FieldFlag{"/guidance_interval/0", "--guidance-interval: the first number"},
    FieldFlag{"/guidance_interval/1", "--guidance-interval: the second number"},
    FieldFlag{"/guidance_interval", "--guidance-interval"},
    FieldFlag{"/deep_cache", "--deep-cache"},
    FieldFlag{"/token_merging", "--token-merging"},
    FieldFlag{"/loras", "--lora"},
    FieldFlag{"/hires/steps", "--hires-steps"},
    FieldFlag{"/hires/strength", "--hires-strength"},
    FieldFlag{"/hires", "--hires"},
    FieldFlag{"/refiner/start", "--refiner-start"},
    FieldFlag{"/refiner", "--refiner"},
    FieldFlag{"/controls", "--controlnet"},
    FieldFlag{"/vae", "--vae"},
    FieldFlag{"/n", "-n"},
    FieldFlag{"/worker_id", "--worker"},
    FieldFlag{"/preview_every", "--preview-every"},
    FieldFlag{"/priority", "--priority"},
    FieldFlag{"/deadline_s", "--deadline"},
    FieldFlag{"/max_attempts", "--max-attempts"},
    FieldFlag{"/idempotency_key", "--idempotency-key"},
    FieldFlag{"/tenant", "--tenant"},
    FieldFlag{"/strength", "--strength"},
    FieldFlag{"/input_image", "--init"},
    FieldFlag{"/init_image", "--init"},
    FieldFlag{"/mask_image", "--mask"},
};

std::string flag_of(std::string_view path) {
  for (const FieldFlag& row : kFieldFlags) {
    if (path == row.path || (path.starts_with(row.path) && path[row.path.size()] == '/')) {
      return std::string(row.flag);
    }
  }
  return std::string(path);
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Result<PictureInput> read_picture(const std::string& file) {
  auto bytes = read_file(file, limits::kMaxPictureBytes);
  if (!bytes) return bytes.error();
  PictureInput picture;
  picture.source = std::move(bytes).value();
  return picture;
}

Result<Operation> operation_of(const JobFlags& flags, std::optional<int> width, std::optional<int> height) {
  if (!flags.init) {
    if (flags.mask || flags.strength) {
      return Error{ErrorCode::invalid_request, std::string(flags.mask ? "--mask" : "--strength") +
                                                   " needs --init FILE, the picture to start from"};
    }
    return Operation(ImageGeneration{width, height});
  }
  auto init = read_picture(*flags.init);
  if (!init) return init.error();
  if (!flags.mask) {
    ImageTransform transform;
    transform.input_image = std::move(init).value();
    transform.strength = flags.strength.value_or(transform.strength);
    transform.width = width;
    transform.height = height;
    return Operation(std::move(transform));
  }
  auto mask = read_picture(*flags.mask);
  if (!mask) return mask.error();
  ImageInpaint inpaint;
  inpaint.init_image = std::move(init).value();
  inpaint.mask_image = std::move(mask).value();
  inpaint.strength = flags.strength.value_or(inpaint.strength);
  inpaint.width = width;
  inpaint.height = height;
  return Operation(std::move(inpaint));
}

/// One picture for each ControlNet, in order, or one for all of them.
Status add_controls(const JobFlags& flags, std::vector<ControlInput>& controls) {
  const std::size_t nets = flags.controlnets.size(), images = flags.control_images.size();
  if (images != nets && !(images == 1 && nets > 0)) {
    return Error{ErrorCode::invalid_request,
                 nets == 0 ? "--control-image needs --controlnet NAME"
                           : "--controlnet needs --control-image FILE, one for each or one for all"};
  }
  for (std::size_t i = 0; i < nets; ++i) {
    auto control = parse_controlnet(flags.controlnets[i]);
    if (!control) return control.error();
    auto picture = read_picture(flags.control_images[images == 1 ? 0 : i]);
    if (!picture) return picture.error();
    control->image = std::move(picture).value();
    controls.push_back(std::move(control).value());
  }
  return Done{};
}

}  // namespace

void add_job_flags(CLI::App& app, JobFlags& flags) {
  app.add_option("prompt", flags.prompt, "What the picture shows")->required();
  add_setting_flags(app, flags);
}

void add_setting_flags(CLI::App& app, JobFlags& flags) {
  app.add_option("--negative", flags.negative, "What it should not show");
  app.add_option("--steps", flags.steps, "Denoising steps (default: what suits the model, mostly 20)");
  app.add_option("--guidance", flags.guidance,
                 "Classifier-free guidance scale (default: the model's, mostly 7.5)");
  app.add_option("--seed", flags.seed, "Image i uses seed + i (default: drawn and reported)");
  app.add_option("--size", flags.size, "Pixels, such as 512x768 (default: the model's)")->type_name("WxH");
  app.add_option("--sampler", flags.sampler, "Integrator, such as euler, ddim, pndm")->type_name("NAME");
  app.add_option("--schedule", flags.schedule, "Noise levels, such as karras")->type_name("NAME");
  app.add_option("-n,--images", flags.images, "How many images")->capture_default_str();
  app.add_option("--clip-skip", flags.clip_skip, "Skip the last layers of the text encoder");
  app.add_option("--lora", flags.loras, "LoRA file by its name, with its strength; may be repeated")
      ->type_name("NAME[:STRENGTH]")
      ->take_all();
  app.add_option("--vae", flags.vae, "VAE file or folder by its name, instead of the model's own")
      ->type_name("NAME");
  app.add_option("--controlnet", flags.controlnets,
                 "ControlNet by its name, with its strength and its share of the steps; may be repeated")
      ->type_name("NAME[:STRENGTH[:START[:END]]]")
      ->take_all();
  app.add_option("--control-image", flags.control_images,
                 "What the ControlNet sees; one for each --controlnet, or one for all")
      ->type_name("FILE")
      ->take_all();
  app.add_option("--init", flags.init, "Start from this picture")->type_name("FILE");
  app.add_option("--mask", flags.mask, "With --init: paint anew where this picture is white")
      ->type_name("FILE");
  app.add_option("--strength", flags.strength, "With --init: 0 keeps the picture, 1 paints all anew");
  add_pass_flags(app, flags.passes);
  add_shortcut_flags(app, flags.shortcuts);
}

void add_queue_flags(CLI::App& app, JobFlags& flags) {
  app.add_option("--format", flags.format, "png, jpeg or webp")->capture_default_str();
  app.add_option("--priority", flags.priority, "-10 to 10, higher first")->capture_default_str();
  app.add_option("--deadline", flags.deadline_s, "Give up after so many seconds")->type_name("SECONDS");
  app.add_option("--max-attempts", flags.max_attempts, "Attempts before the job is dead")
      ->capture_default_str();
  app.add_option("--idempotency-key", flags.idempotency_key,
                 "Submitting again with this key makes no second job");
  app.add_option("--tenant", flags.tenant, "Whose job it is");
  app.add_option("--worker", flags.worker, "Only this worker may take it")->type_name("WORKER");
  app.add_option("--preview-every", flags.preview_every, "A preview each so many steps");
}

Result<std::pair<int, int>> parse_size(std::string_view text) {
  const std::size_t cross = text.find_first_of("xX");
  std::pair<int, int> size;
  if (cross == std::string_view::npos || !parse_number(text.substr(0, cross), size.first) ||
      !parse_number(text.substr(cross + 1), size.second)) {
    return Error{ErrorCode::invalid_request,
                 "--size must be WIDTHxHEIGHT, such as 512x768, is \"" + std::string(text) + "\""};
  }
  return size;
}

Result<Lora> parse_lora(std::string_view text) {
  Lora lora;
  const std::size_t colon = text.rfind(':');
  lora.path = text.substr(0, colon);
  if (colon != std::string_view::npos && !parse_number(text.substr(colon + 1), lora.strength)) {
    return Error{
        ErrorCode::invalid_request,
        "--lora must be NAME or NAME:STRENGTH, such as pencil:0.8, is \"" + std::string(text) + "\""};
  }
  return lora;
}

Result<ControlInput> parse_controlnet(std::string_view text) {
  ControlInput control;
  const std::size_t colon = text.find(':');
  control.path = text.substr(0, colon);
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  double* const numbers[] = {&control.strength, &control.start, &control.end};
  bool good = colon == std::string_view::npos || !rest.empty();
  for (std::size_t i = 0; good && !rest.empty(); ++i) {
    const std::size_t end = rest.find(':');
    good = i < std::size(numbers) && parse_number(rest.substr(0, end), *numbers[i]);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (end != std::string_view::npos && rest.empty()) good = false;
  }
  if (!good) {
    return Error{
        ErrorCode::invalid_request,
        "--controlnet must be NAME, NAME:STRENGTH or NAME:STRENGTH:START:END, such as canny:0.8:0:0.6, is "
        "\"" +
            std::string(text) + "\""};
  }
  return control;
}

Result<JobRequest> to_request(const JobFlags& flags, std::string model, OutputFormat format) {
  JobRequest request;
  request.model = std::move(model);
  request.prompt = flags.prompt;
  request.negative_prompt = flags.negative.value_or("");
  request.has_negative_prompt = flags.negative.has_value();
  request.steps = flags.steps;
  request.guidance_scale = flags.guidance;
  request.seed = flags.seed;
  request.sampler = flags.sampler;
  request.schedule = flags.schedule;
  request.clip_skip = flags.clip_skip;
  for (const std::string& text : flags.loras) {
    auto lora = parse_lora(text);
    if (!lora) return lora.error();
    request.loras.push_back(std::move(lora).value());
  }
  request.vae = flags.vae;
  if (auto added = add_controls(flags, request.controls); !added) return added.error();
  request.n = flags.images;
  request.output_format = format;
  if (flags.worker) request.worker_id = WorkerId(*flags.worker);
  request.idempotency_key = flags.idempotency_key;
  request.tenant = flags.tenant;
  request.preview_every = flags.preview_every;
  request.deadline_s = flags.deadline_s;
  request.priority = flags.priority;
  request.max_attempts = flags.max_attempts;

  std::optional<int> width, height;
  if (flags.size) {
    auto size = parse_size(*flags.size);
    if (!size) return size.error();
    width = size->first;
    height = size->second;
  }
  auto operation = operation_of(flags, width, height);
  if (!operation) return operation.error();
  request.operation = std::move(operation).value();
  if (auto set = set_passes(flags.passes, request); !set) return set.error();
  if (auto set = set_shortcuts(flags.shortcuts, request); !set) return set.error();

  if (auto fields = validate(request); !fields.empty()) {
    return in_terms_of_flags(invalid_request(std::move(fields)));
  }
  return request;
}

Error in_terms_of_flags(const Error& error) {
  if (error.fields.empty()) return error;
  Error plain{error.code, "", {}, error.retry_after_s};
  for (const FieldError& field : error.fields) {
    if (!plain.message.empty()) plain.message += "; ";
    plain.message += flag_of(field.path) + " " + field.message;
  }
  return plain;
}

}  // namespace waggle::cli
