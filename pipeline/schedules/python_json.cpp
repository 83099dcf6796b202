// One pass with a flag for "inside a string"; it does not check that the rest is JSON.
#include "pipeline/schedules/python_json.h"

#include <array>

namespace waggle::pipeline {

std::string without_python_numbers(std::string_view json) {
  static constexpr std::array<std::string_view, 3> kWords = {"-Infinity", "Infinity", "NaN"};
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      if (c == '"') in_string = false;
      ++i;
      continue;
    }
    std::size_t word = 0;
    for (const std::string_view candidate : kWords) {
      if (json.substr(i, candidate.size()) == candidate) word = candidate.size();
    }
    if (word > 0) {
      out += "null";
      i += word;
      continue;
    }
    in_string = c == '"';
    out += c;
    ++i;
  }
  return out;
}

}  // namespace waggle::pipeline
