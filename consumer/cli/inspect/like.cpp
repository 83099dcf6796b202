// Flags are looked at where a request has a default that cannot be told from what somebody asked for.
#include "consumer/cli/inspect/like.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "consumer/cli/inspect/content_id.h"
#include "consumer/cli/inspect/recipe.h"
#include "consumer/cli/output_file.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"
#include "schemas/pictures.h"
#include "schemas/validate.h"

namespace waggle::cli {

namespace {

Error needs(const std::filesystem::path& picture, const char* what) {
  return {ErrorCode::invalid_request, picture.string() + " was made " + what};
}

template <class Value>
void if_absent(std::optional<Value>& value, const std::optional<Value>& other) {
  if (!value) value = other;
}

/// A size is one thing: half of it from each would be a third shape.
template <class Kind>
void fill_size(const Kind& like, Kind& operation) {
  if (operation.width || operation.height) return;
  operation.width = like.width;
  operation.height = like.height;
}

void fill_operation(const Operation& like, const JobFlags& flags, Operation& operation) {
  if (operation.index() != like.index()) return;
  if (auto* generation = std::get_if<ImageGeneration>(&operation)) {
    const auto& before = std::get<ImageGeneration>(like);
    fill_size(before, *generation);
    if_absent(generation->hires, before.hires);
  } else if (auto* transform = std::get_if<ImageTransform>(&operation)) {
    const auto& before = std::get<ImageTransform>(like);
    fill_size(before, *transform);
    if (!flags.strength) transform->strength = before.strength;
  } else if (auto* inpaint = std::get_if<ImageInpaint>(&operation)) {
    const auto& before = std::get<ImageInpaint>(like);
    fill_size(before, *inpaint);
    if (!flags.strength) inpaint->strength = before.strength;
    if_absent(inpaint->mask_blur, before.mask_blur);
    if_absent(inpaint->only_masked_padding, before.only_masked_padding);
    inpaint->paste_back = inpaint->paste_back || before.paste_back;
  }
}

}  // namespace

Result<JobRequest> read_like(const std::filesystem::path& picture, JobFlags& flags) {
  auto bytes = read_file(picture, limits::kMaxPictureBytes);
  if (!bytes) return bytes.error();
  auto texts = pipeline::read_text(*bytes);
  auto recipe = texts ? recipe_of(*texts) : Result<Recipe>(texts.error());
  if (!recipe) return Error{recipe.error().code, picture.string() + ": " + recipe.error().message};
  JobRequest like = std::move(recipe->request);
  if (flags.prompt.empty()) flags.prompt = like.prompt;
  if (!flags.init && std::holds_alternative<ImageInpaint>(like.operation))
    return needs(picture, "from another picture and a mask: name them with --init and --mask");
  if (!flags.init && std::holds_alternative<ImageTransform>(like.operation))
    return needs(picture, "from another picture: name it with --init");
  return like;
}

Status fill_in(const JobRequest& like, const JobFlags& flags, JobRequest& request) {
  if (!request.has_negative_prompt) {
    request.negative_prompt = like.negative_prompt;
    request.has_negative_prompt = like.has_negative_prompt;
  }
  if_absent(request.steps, like.steps);
  if_absent(request.guidance_scale, like.guidance_scale);
  if_absent(request.seed, like.seed);
  if_absent(request.sampler, like.sampler);
  if_absent(request.schedule, like.schedule);
  if_absent(request.clip_skip, like.clip_skip);
  if_absent(request.guidance_interval, like.guidance_interval);
  // Beside a ControlNet of this request it would be refused.
  if (request.controls.empty()) if_absent(request.deep_cache, like.deep_cache);
  if_absent(request.token_merging, like.token_merging);
  if_absent(request.vae, like.vae);
  if (request.loras.empty()) request.loras = like.loras;
  // Names of other models and pictures mean nothing here: those were a worker's.
  if (request.controls.empty() && !like.controls.empty()) {
    return Error{ErrorCode::invalid_request,
                 "the picture was made with the ControlNet " + like.controls.front().path +
                     ": name it and what it sees with --controlnet and --control-image"};
  }
  if (!request.refiner && like.refiner) {
    return Error{ErrorCode::invalid_request, "the picture was finished by the refiner " +
                                                 like.refiner->model + ": name it with --refiner"};
  }
  fill_operation(like.operation, flags, request.operation);
  if (auto fields = validate(request); !fields.empty())
    return in_terms_of_flags(invalid_request(std::move(fields)));
  return Done{};
}

std::string other_picture(const JobRequest& like, const JobRequest& request) {
  const auto before = pictures_of(like), now = pictures_of(request);
  for (std::size_t i = 0; i < std::min(before.size(), now.size()); ++i) {
    const auto* reference = std::get_if<BlobId>(&before[i].second->source);
    const auto* bytes = std::get_if<std::string>(&now[i].second->source);
    if (reference == nullptr || bytes == nullptr || reference->value.empty()) continue;
    if (*reference != content_id(*bytes)) return now[i].first == "/mask_image" ? "--mask" : "--init";
  }
  return {};
}

std::string described(JobRequest request) {
  for (auto& [path, input] : pictures_of(request)) {
    if (const auto* bytes = std::get_if<std::string>(&input->source)) input->source = content_id(*bytes);
  }
  return codec::to_json(request);
}

}  // namespace waggle::cli
