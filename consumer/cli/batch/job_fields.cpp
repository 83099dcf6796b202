// The table of other names, and values out of text.
#include "consumer/cli/batch/job_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "consumer/cli/job_flags.h"
#include "schemas/codec/json_text.h"

namespace waggle::cli::batch {

namespace {

using codec::Document;
using codec::Object;

struct OtherName {
  std::string_view other, ours;
};
constexpr std::array kOtherNames{
    OtherName{"batch_count", "n"},
    OtherName{"cfg", "guidance_scale"},
    OtherName{"cfg_scale", "guidance_scale"},
    OtherName{"deadline", "deadline_s"},
    OtherName{"denoising_strength", "strength"},
    OtherName{"format", "output_format"},
    OtherName{"guidance", "guidance_scale"},
    OtherName{"images", "n"},
    OtherName{"lora", "loras"},
    OtherName{"negative", "negative_prompt"},
    OtherName{"sampler_name", "sampler"},
    OtherName{"scheduler", "schedule"},
    OtherName{"sd_model", "model"},
    OtherName{"worker", "worker_id"},
};

/// Fields that stay text even when they look like a number.
constexpr std::array<std::string_view, 17> kTexts{
    "hive_id", "idempotency_key", "init",      "init_image",    "input_image", "mask",    "mask_image",
    "model",   "negative_prompt", "operation", "output_format", "prompt",      "sampler", "schedule",
    "tenant",  "traceparent",     "worker_id"};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

/// "pencil:0.8, ink" as the protocol's list.
Result<Document> loras(std::string_view text) {
  codec::Array list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(", ", at), text.size());
    if (end > at) {
      auto lora = parse_lora(text.substr(at, end - at));
      if (!lora)
        return Error{ErrorCode::invalid_request, "must be NAME or NAME:STRENGTH, such as pencil:0.8"};
      list.push_back({Object{{"path", {lora->path}}, {"strength", {lora->strength}}}});
    }
    at = end + 1;
  }
  return Document{std::move(list)};
}

}  // namespace

std::string_view canonical_name(std::string_view name) noexcept {
  const auto* row = std::find_if(kOtherNames.begin(), kOtherNames.end(),
                                 [name](const OtherName& other) { return other.other == name; });
  return row == kOtherNames.end() ? name : row->ours;
}

codec::Document& field(Object& fields, std::string_view name) {
  for (codec::Member& member : fields) {
    if (member.key == name) return member.value;
  }
  fields.push_back({std::string(name), {}});
  return fields.back().value;
}

void remove(Object& fields, std::string_view name) {
  std::erase_if(fields, [name](const codec::Member& member) { return member.key == name; });
}

Status set(Object& fields, std::string_view name, Document value) {
  const std::string_view ours = canonical_name(name);
  if (ours == "size") {
    const auto* text = value.get_if<std::string>();
    const auto size = parse_size(text == nullptr ? std::string_view() : std::string_view(*text));
    if (!size) return Error{ErrorCode::invalid_request, "must be WIDTHxHEIGHT, such as 512x768"};
    field(fields, "width") = {std::int64_t{size->first}};
    field(fields, "height") = {std::int64_t{size->second}};
    return Done{};
  }
  if (ours == "loras" && value.get_if<std::string>() != nullptr) {
    auto list = loras(*value.get_if<std::string>());
    if (!list) return list.error();
    value = std::move(list).value();
  }
  if (ours == "guidance_interval" && value.get_if<std::string>() != nullptr) {
    const auto interval = parse_interval(*value.get_if<std::string>());
    if (!interval) return Error{ErrorCode::invalid_request, "must be FROM:TO, such as 0.1:0.8"};
    value = {codec::Array{{interval->from}, {interval->to}}};
  }
  field(fields, ours) = std::move(value);
  return Done{};
}

Status set_from_text(Object& fields, std::string_view name, std::string_view text) {
  const std::string_view ours = canonical_name(name);
  const bool is_text = std::find(kTexts.begin(), kTexts.end(), ours) != kTexts.end() || ours == "size";
  if (!is_text) {
    // What is no JSON stays a string, about which the codec has the right words.
    if (auto value = codec::parse_json(trimmed(text))) return set(fields, ours, std::move(value).value());
  }
  return set(fields, ours,
             {std::string(ours == "prompt" || ours == "negative_prompt" ? text : trimmed(text))});
}

void complete(Object& fields) {
  const auto rename = [&fields](std::string_view from, std::string_view to) {
    Document value = std::move(field(fields, from));
    remove(fields, from);
    field(fields, to) = std::move(value);
  };
  const bool masked = codec::find(fields, "mask") != nullptr || codec::find(fields, "mask_image") != nullptr;
  if (codec::find(fields, "init") != nullptr) rename("init", masked ? "init_image" : "input_image");
  if (codec::find(fields, "mask") != nullptr) rename("mask", "mask_image");
  if (codec::find(fields, "operation") == nullptr) {
    if (masked) {
      field(fields, "operation") = {std::string("image_inpaint")};
    } else if (codec::find(fields, "input_image") != nullptr) {
      field(fields, "operation") = {std::string("image_transform")};
    }
  }
  if (const Document* seed = codec::find(fields, "seed"); seed != nullptr) {
    const auto* number = seed->get_if<std::int64_t>();
    if (seed->is_null() || (number != nullptr && *number == -1)) remove(fields, "seed");
  }
}

}  // namespace waggle::cli::batch
