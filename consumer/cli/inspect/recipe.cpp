// Choosing among a picture's texts; this program's own JSON knows most, so it comes first.
#include "consumer/cli/inspect/recipe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <variant>

#include "pipeline/image/parameters.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

/// Settings that became fields.
constexpr std::array<std::string_view, 13> kUnderstood{"Steps",
                                                       "Sampler",
                                                       "Schedule type",
                                                       "CFG scale",
                                                       "Seed",
                                                       "Size",
                                                       "Model",
                                                       "Clip skip",
                                                       "Version",
                                                       "Denoising strength",
                                                       "Guidance interval",
                                                       "Deep cache",
                                                       "Token merging ratio"};

/// Their precision, where it moves the picture.
constexpr std::string_view kWeights = "Weights";

template <class Number>
std::optional<Number> number(std::optional<std::string_view> text) {
  Number value{};
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

/// "0.2-0.8"
std::optional<Interval> interval(std::optional<std::string_view> text) {
  const std::size_t dash = text ? text->find('-') : std::string_view::npos;
  if (dash == std::string_view::npos) return std::nullopt;
  const auto from = number<double>(text->substr(0, dash)), to = number<double>(text->substr(dash + 1));
  return from && to ? std::optional(Interval{*from, *to}) : std::nullopt;
}

const std::string* find(const pipeline::TextFields& texts, std::string_view key) {
  const auto found = std::ranges::find(texts, key, &std::pair<std::string, std::string>::first);
  return found == texts.end() ? nullptr : &found->second;
}

Recipe recipe_of_parameters(const pipeline::ParsedParameters& parameters) {
  Recipe recipe;
  const auto version = parameters.find("Version");
  recipe.program = version && (*version == "waggle" || version->starts_with("waggle "))
                       ? std::string(*version)
                       : "AUTOMATIC1111";
  JobRequest& request = recipe.request;
  std::tie(request.prompt, request.loras) = pipeline::take_loras(parameters.prompt);
  request.negative_prompt = parameters.negative_prompt;
  request.has_negative_prompt = !request.negative_prompt.empty();
  request.steps = number<int>(parameters.find("Steps"));
  request.guidance_scale = number<double>(parameters.find("CFG scale"));
  request.seed = number<std::int64_t>(parameters.find("Seed"));
  if (const auto skipped = number<int>(parameters.find("Clip skip")); skipped && *skipped > 1)
    request.clip_skip = *skipped - 1;
  request.guidance_interval = interval(parameters.find("Guidance interval"));
  request.deep_cache = number<int>(parameters.find("Deep cache"));
  request.token_merging = number<double>(parameters.find("Token merging ratio"));
  auto choice = pipeline::sampler_choice(parameters);
  request.sampler = std::move(choice.sampler);
  request.schedule = std::move(choice.schedule);
  request.model = std::string(parameters.find("Model").value_or(""));
  ImageGeneration generation;
  if (const auto size = parameters.find("Size")) {
    const std::size_t cross = std::min(size->find('x'), size->size());
    generation.width = number<int>(size->substr(0, cross));
    generation.height = number<int>(size->substr(std::min(cross + 1, size->size())));
  }
  request.operation = generation;
  if (const auto strength = number<double>(parameters.find("Denoising strength"))) {
    // Both of AUTOMATIC1111's ways to use it: a second pass says by how much it enlarges.
    if (!parameters.find("Hires upscale")) {
      request.operation = ImageTransform{{BlobId()}, *strength, generation.width, generation.height};
    } else {
      recipe.other.emplace_back("Denoising strength", std::string(*parameters.find("Denoising strength")));
    }
  }
  for (const auto& setting : parameters.settings) {
    if (std::ranges::find(kUnderstood, setting.first) == kUnderstood.end()) recipe.other.push_back(setting);
  }
  return recipe;
}

/// What the queue was told about this job has no meaning for another.
void forget_the_queue(JobRequest& request) {
  request.n = 1;
  request.hive_id.clear();
  request.worker_id.reset();
  request.preview_every.reset();
  request.priority = JobRequest().priority;
  request.deadline_s.reset();
  request.max_attempts = JobRequest().max_attempts;
  request.idempotency_key.reset();
  request.tenant.reset();
  request.traceparent.reset();
}

}  // namespace

Result<Recipe> recipe_of(const pipeline::TextFields& texts) {
  std::optional<Recipe> shown;
  const std::string* parameters = find(texts, "parameters");
  if (parameters != nullptr) {
    auto parsed = pipeline::parse_a1111_parameters(*parameters);
    if (!parsed) return Error{ErrorCode::unsupported_media, parsed.error().message};
    shown = recipe_of_parameters(*parsed);
  }
  if (const std::string* job = find(texts, "waggle")) {
    auto request = codec::from_json<JobRequest>(*job);
    if (!request) {
      return Error{ErrorCode::unsupported_media, "its job cannot be read: " + to_string(request.error())};
    }
    Recipe recipe{shown ? shown->program : "waggle", std::move(request).value(), {}};
    // The job has the seed of its first picture, the text that of this one.
    if (shown && shown->request.seed) recipe.request.seed = shown->request.seed;
    // A property of the program that rendered it, not of the job.
    if (shown)
      std::ranges::copy_if(shown->other, std::back_inserter(recipe.other),
                           [](const auto& setting) { return setting.first == kWeights; });
    forget_the_queue(recipe.request);
    return recipe;
  }
  if (const std::string* graph = find(texts, "prompt")) {
    auto recipe = recipe_of_comfy(*graph);
    // A graph without a sampler may stand beside a text that says it all.
    if (recipe || !shown) return recipe;
  }
  if (shown) return *std::move(shown);
  return Error{ErrorCode::not_found, "it holds no parameters that waggle, AUTOMATIC1111 or ComfyUI wrote"};
}

}  // namespace waggle::cli
