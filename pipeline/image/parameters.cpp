// Parameters of a picture as text: see pipeline/image/parameters.h.
#include "pipeline/image/parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

constexpr std::string_view kNegative = "Negative prompt:";
constexpr std::size_t kFewestSettings = 3;  // with fewer, a last line with a colon is part of the prompt

// Names as AUTOMATIC1111 shows them. One that is missing here is written as the registry has it.
struct ShownName {
  std::string_view ours, shown;
};
constexpr ShownName kSamplerNames[] = {
    {"ddim", "DDIM"},
    {"ddpm", "DDPM"},
    {"deis", "DEIS"},
    {"dpm2", "DPM2"},
    {"dpm2_ancestral", "DPM2 a"},
    {"dpmpp_2m", "DPM++ 2M"},
    {"dpmpp_2m_sde", "DPM++ 2M SDE"},
    {"dpmpp_2s", "DPM++ 2S"},
    {"dpmpp_2s_ancestral", "DPM++ 2S a"},
    {"dpmpp_3m_sde", "DPM++ 3M SDE"},
    {"dpmpp_sde", "DPM++ SDE"},
    {"euler", "Euler"},
    {"euler_ancestral", "Euler a"},
    {"heun", "Heun"},
    {"lcm", "LCM"},
    {"lms", "LMS"},
    {"pndm", "PNDM"},
    {"tcd", "TCD"},
    {"unipc", "UniPC"},
};
constexpr ShownName kUpscalerNames[] = {
    {"lanczos", "Lanczos"},
    {"latent", "Latent"},
    {"latent-bicubic", "Latent (bicubic)"},
    {"latent-nearest", "Latent (nearest)"},
    {"nearest", "Nearest"},
};
constexpr ShownName kScheduleNames[] = {
    {"ays", "Align Your Steps"},    {"beta", "Beta"},
    {"exponential", "Exponential"}, {"karras", "Karras"},
    {"sgm_uniform", "SGM Uniform"}, {"simple", "Simple"},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <std::size_t Size>
std::string_view shown(const ShownName (&names)[Size], std::string_view name) {
  const auto* found = std::ranges::find(names, name, &ShownName::ours);
  return found == std::end(names) ? name : found->shown;
}

// The other way, in any case of letters.
template <std::size_t Size>
std::optional<std::string> meant(const ShownName (&names)[Size], std::string_view text) {
  const auto same = [text](std::string_view name) {
    return std::ranges::equal(name, text, [](char a, char b) { return lower(a) == lower(b); });
  };
  for (const ShownName& row : names) {
    if (same(row.shown) || same(row.ours)) return std::string(row.ours);
  }
  return std::nullopt;
}

// The shortest decimal that reads back as the same number: 7.5, 7, 0.33.
std::string number(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

// A value with a comma, a colon, a quote or a line end is written as a JSON string.
std::string quoted(std::string_view value) {
  if (value.find_first_of(",:\"\n\r") == std::string_view::npos) return std::string(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out.push_back(c);
    }
  }
  return out + '"';
}

std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::string(value);
  std::string out;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] != '\\' || i + 2 >= value.size()) {
      out.push_back(value[i]);
      continue;
    }
    const char escaped = value[++i];
    out.push_back(escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped == 't' ? '\t' : escaped);
  }
  return out;
}

/// The factor of the second pass, where both sides have the same; rounded to what can be read.
std::optional<double> hires_scale(const Hires& hires, int width, int height) {
  if (hires.scale) return hires.scale;
  if (!hires.width || !hires.height) return 2.0;
  const double across = static_cast<double>(*hires.width) / width,
               down = static_cast<double>(*hires.height) / height;
  if (std::abs(across - down) > 1e-9) return std::nullopt;
  return std::nearbyint(across * 1000) / 1000;
}

const Hires* hires_of(const Operation& operation) {
  const auto* generation = std::get_if<ImageGeneration>(&operation);
  return generation != nullptr && generation->hires ? &*generation->hires : nullptr;
}

std::optional<double> strength(const Operation& operation) {
  if (const Hires* hires = hires_of(operation)) return hires->strength;
  if (const auto* transform = std::get_if<ImageTransform>(&operation)) return transform->strength;
  if (const auto* inpaint = std::get_if<ImageInpaint>(&operation)) return inpaint->strength;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

bool may_be_in_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '_' ||
         c == '-' || c == '/';
}

// The end of the value that begins at `at`: behind its closing quote, or at the next comma.
std::size_t value_end(std::string_view line, std::size_t at) {
  if (at < line.size() && line[at] == '"') {
    for (std::size_t i = at + 1; i < line.size(); ++i) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        return i + 1;
      }
    }
  }
  return std::min(line.find(',', at), line.size());
}

// "Steps: 20, Sampler: Euler a, ...". Parts without a colon are passed over.
std::vector<std::pair<std::string, std::string>> parse_settings(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t colon = at;
    while (colon < line.size() && may_be_in_key(line[colon])) ++colon;
    const std::string_view key = trimmed(line.substr(at, colon - at));
    if (colon == line.size() || line[colon] != ':' || key.empty()) {
      at = std::min(line.find(',', at), line.size() - 1) + 1;
      continue;
    }
    const std::size_t first = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    const std::size_t end = value_end(line, first);
    settings.emplace_back(key, unquoted(trimmed(line.substr(first, end - first))));
    at = std::min(line.find(',', end), line.size() - 1) + 1;
  }
  return settings;
}

}  // namespace

std::string a1111_parameters(const JobRequest& resolved, std::int64_t seed, int width, int height,
                             std::string_view version, std::string_view traded) {
  std::string out = resolved.prompt;
  for (const Lora& lora : resolved.loras) {
    const std::string_view name = std::string_view(lora.path).substr(0, lora.path.rfind('.'));
    out += " <lora:" + std::string(name) + ":" + number(lora.strength) + ">";
  }
  if (!resolved.negative_prompt.empty())
    out += "\n" + std::string(kNegative) + " " + resolved.negative_prompt;
  out += "\n";

  std::string_view separator;
  const auto add = [&](std::string_view key, std::string_view value) {
    out.append(separator).append(key).append(": ").append(quoted(value));
    separator = ", ";
  };
  if (resolved.steps) add("Steps", std::to_string(*resolved.steps));
  if (resolved.sampler) add("Sampler", shown(kSamplerNames, *resolved.sampler));
  if (resolved.schedule) add("Schedule type", shown(kScheduleNames, *resolved.schedule));
  if (resolved.guidance_scale) add("CFG scale", number(*resolved.guidance_scale));
  add("Seed", std::to_string(seed));
  add("Size", std::to_string(width) + "x" + std::to_string(height));
  add("Model", resolved.model);
  if (const auto share = strength(resolved.operation)) add("Denoising strength", number(*share));
  if (const Hires* hires = hires_of(resolved.operation)) {
    if (const auto scale = hires_scale(*hires, width, height))
      add("Hires upscale", number(*scale));
    else
      add("Hires resize", std::to_string(*hires->width) + "x" + std::to_string(*hires->height));
    if (hires->steps) add("Hires steps", std::to_string(*hires->steps));
    add("Hires upscaler", shown(kUpscalerNames, name(hires->upscaler)));
  }
  if (resolved.refiner) {
    add("Refiner", resolved.refiner->model);
    add("Refiner switch at", number(resolved.refiner->start));
  }
  // There, 1 is the last layer.
  if (resolved.clip_skip) add("Clip skip", std::to_string(*resolved.clip_skip + 1));
  if (const auto& interval = resolved.guidance_interval)
    add("Guidance interval", number(interval->from) + "-" + number(interval->to));
  if (resolved.deep_cache) add("Deep cache", std::to_string(*resolved.deep_cache));
  if (resolved.token_merging) add("Token merging ratio", number(*resolved.token_merging));
  if (!traded.empty()) add("Weights", traded);
  add("Version", "waggle " + std::string(version));
  return out;
}

std::optional<std::string_view> ParsedParameters::find(std::string_view key) const {
  const auto found = std::ranges::find(settings, key, &std::pair<std::string, std::string>::first);
  return found == settings.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Result<ParsedParameters> parse_a1111_parameters(std::string_view text) {
  if (!is_valid_utf8(text)) {
    return Error{.code = ErrorCode::malformed_message, .message = "the parameters are not UTF-8"};
  }
  text = trimmed(text);
  ParsedParameters out;
  const std::size_t newline = text.rfind('\n');
  const std::size_t last = newline == std::string_view::npos ? 0 : newline + 1;
  out.settings = parse_settings(text.substr(last));
  if (out.settings.size() >= kFewestSettings) {
    text = text.substr(0, last);
  } else {
    out.settings.clear();
  }

  std::size_t negative = text.starts_with(kNegative) ? 0 : text.find("\n" + std::string(kNegative));
  if (negative != std::string_view::npos) {
    const std::string_view rest = text.substr(negative);
    out.negative_prompt = trimmed(rest.substr(rest.find(':') + 1));
    text = text.substr(0, negative);
  }
  out.prompt = trimmed(text);
  return out;
}

SamplerChoice sampler_choice(const ParsedParameters& parameters) {
  SamplerChoice choice;
  if (const auto type = parameters.find("Schedule type"); type && *type != "Automatic") {
    choice.schedule = meant(kScheduleNames, *type).value_or(std::string(*type));
  }
  const auto sampler = parameters.find("Sampler");
  if (!sampler) return choice;
  choice.sampler = meant(kSamplerNames, *sampler);
  const std::size_t space = sampler->rfind(' ');
  if (!choice.sampler && space != std::string_view::npos) {
    if (auto schedule = meant(kScheduleNames, sampler->substr(space + 1))) {
      choice.sampler = meant(kSamplerNames, sampler->substr(0, space));
      if (choice.sampler) choice.schedule = std::move(schedule);
    }
  }
  if (!choice.sampler) choice.sampler = std::string(*sampler);
  return choice;
}

std::pair<std::string, std::vector<Lora>> take_loras(std::string_view prompt) {
  constexpr std::string_view kOpen = "<lora:";
  std::string rest;
  std::vector<Lora> loras;
  for (;;) {
    const std::size_t open = prompt.find(kOpen);
    const std::size_t close = open == std::string_view::npos ? open : prompt.find('>', open);
    if (close == std::string_view::npos) break;
    const std::string_view tag = prompt.substr(open + kOpen.size(), close - open - kOpen.size());
    const std::size_t colon = tag.find(':');
    Lora lora{std::string(tag.substr(0, colon)) + ".safetensors", 1.0};
    bool good = !tag.empty() && colon != 0;
    if (good && colon != std::string_view::npos) {
      const auto [end, error] =
          std::from_chars(tag.data() + colon + 1, tag.data() + tag.size(), lora.strength);
      good = error == std::errc() && (end == tag.data() + tag.size() || *end == ':');
    }
    rest += prompt.substr(0, good ? open : close + 1);
    if (good) loras.push_back(std::move(lora));
    prompt.remove_prefix(close + 1);
  }
  rest += prompt;
  return {std::string(trimmed(rest)), std::move(loras)};
}

}  // namespace waggle::pipeline
