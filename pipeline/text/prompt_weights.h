// Emphasis in prompts as AUTOMATIC1111 documents it: (more), [less], (exactly:1.3), \( for the character
// itself, and BREAK. Its prompt editing ([from:to:when]) and its <lora:...> tags are not read; they come out
// as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {

/// A stretch of text and how much attention it gets.
struct PromptPart {
  std::string text;
  double weight = 1.0;        ///< 1.1 a round bracket, 1/1.1 a square one, or as stated; within -10..10
  bool starts_chunk = false;  ///< BREAK stood before it

  bool operator==(const PromptPart&) const = default;
};

/// Neighbours of equal weight are one part; brackets that are never closed count to the end, closing ones
/// that were never opened are text. A weight that is no number ("(a:1.2.3)") leaves its bracket's content as
/// it is, closed and worth 1.1. At least one part. Linear in the prompt, but for nested brackets.
std::vector<PromptPart> parse_weights(std::string_view prompt);

}  // namespace waggle::pipeline
