// The "parameters" text that AUTOMATIC1111 readers parse: prompt, "Negative prompt: ...", then one line of
// "Key: value" pairs. Both directions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// `resolved` has every default filled in; `seed` is this image's own. LoRAs are appended to the prompt in
/// the form that such readers know, `<lora:name:0.8>`. `traded`: the precision of the weights where it moves
/// the result by more than rounding; empty: nothing is said.
std::string a1111_parameters(const JobRequest& resolved, std::int64_t seed, int width, int height,
                             std::string_view version, std::string_view traded = {});

/// What such a text says, whoever wrote it.
struct ParsedParameters {
  std::string prompt;
  std::string negative_prompt;
  std::vector<std::pair<std::string, std::string>> settings;  ///< in the order of the text, quotes taken off

  /// The value of a setting, by its exact key ("Steps", "CFG scale"), or nothing.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
};

/// Any text is accepted as a prompt; the settings are read only from a last line that has at least three of
/// them. Errors: malformed_message when the bytes are not UTF-8.
Result<ParsedParameters> parse_a1111_parameters(std::string_view text);

/// This program's names of the sampler and the schedule that such a text means: "Sampler" and "Schedule
/// type", or both in one as older programs wrote them ("DPM++ 2M Karras"). A name that nobody knows is kept
/// as it is.
struct SamplerChoice {
  std::optional<std::string> sampler, schedule;
  bool operator==(const SamplerChoice&) const = default;
};
SamplerChoice sampler_choice(const ParsedParameters& parameters);

/// "a fox <lora:ink:0.8>" -> "a fox" and the LoRA ink.safetensors at 0.8; what is no such tag stays.
std::pair<std::string, std::vector<Lora>> take_loras(std::string_view prompt);

}  // namespace waggle::pipeline
