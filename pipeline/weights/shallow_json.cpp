// The parser is stopped at the first bracket too many, before it takes memory for those inside.
#include "pipeline/weights/shallow_json.h"

#include <nlohmann/json.hpp>

namespace waggle::pipeline {
namespace {

struct TooDeep {};

}  // namespace

nlohmann::json parse_shallow_json(std::string_view text) {
  using Event = nlohmann::json::parse_event_t;
  const auto bound = [](int depth, Event event, nlohmann::json&) {
    // The depth is that of the brackets around this one.
    if (depth >= kDeepestJson && (event == Event::array_start || event == Event::object_start))
      throw TooDeep{};
    return true;
  };
  try {
    return nlohmann::json::parse(text, bound, /*allow_exceptions=*/false);
  } catch (const TooDeep&) {
    return nlohmann::json(nlohmann::json::value_t::discarded);
  }
}

}  // namespace waggle::pipeline
