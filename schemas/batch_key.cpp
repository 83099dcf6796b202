// "<width>x<height>|<kind>|<model>|<lora>*<strength>...|deep/<n>|merged/<share>": names are preceded by their
// length, so that no name can be mistaken for two.
#include "schemas/batch_key.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace waggle {
namespace {

std::string counted(const std::string& text) { return std::to_string(text.size()) + ':' + text; }

std::string side(std::optional<int> pixels) { return pixels ? std::to_string(*pixels) : "?"; }

std::string exact(double number) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, number).ptr);
}

/// What the UNet is conditioned on besides the text. Image to image differs from text to image in its start
/// only.
std::string_view conditioning(const ImageGeneration&) { return "text"; }
std::string_view conditioning(const ImageTransform&) { return "text"; }
std::string_view conditioning(const ImageInpaint&) { return "mask"; }

}  // namespace

std::string batch_key(const JobRequest& request) {
  std::string key = std::visit(
      [](const auto& operation) {
        return side(operation.width) + 'x' + side(operation.height) + '|' +
               std::string(conditioning(operation));
      },
      request.operation);
  key += '|' + counted(request.model);
  std::vector<std::string> loras;
  for (const Lora& lora : request.loras)
    loras.push_back('|' + counted(lora.path) + '*' + exact(lora.strength));
  std::sort(loras.begin(), loras.end());
  for (const std::string& lora : loras) key += lora;
  if (request.deep_cache.value_or(1) > 1) key += "|deep/" + std::to_string(*request.deep_cache);
  if (request.token_merging.value_or(0) > 0) key += "|merged/" + exact(*request.token_merging);
  return key;
}

}  // namespace waggle
