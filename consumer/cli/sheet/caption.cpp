// The prompt out of a picture's texts.
#include "consumer/cli/sheet/caption.h"

#include <utility>

#include "pipeline/image/parameters.h"

namespace waggle::cli {

namespace {

/// Runs of blanks and line ends as one blank, none at the ends.
std::string on_one_line(const std::string& text) {
  std::string line;
  bool gap = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      gap = !line.empty();
      continue;
    }
    if (gap) line += ' ';
    gap = false;
    line += c;
  }
  return line;
}

}  // namespace

std::string caption_of(const pipeline::TextFields& text) {
  for (const auto& [key, value] : text) {
    if (key != "parameters") continue;
    if (auto parameters = pipeline::parse_a1111_parameters(value)) return on_one_line(parameters->prompt);
  }
  return {};
}

}  // namespace waggle::cli
