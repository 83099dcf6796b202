// ComfyUI's graphs: nodes by id, each with a class and inputs that are values or links ["node", output]. Only
// the few nodes of plain text to image are understood by name; others are passed through by their links.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "consumer/cli/inspect/recipe.h"

namespace waggle::cli {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxGraphBytes = 4u << 20;
constexpr int kMaxDepth = 64;   ///< of JSON, which is freed and printed by recursion
constexpr int kMaxLinks = 256;  ///< followed for one question: a graph may have loops

struct Renamed {
  std::string_view theirs, ours;
};
constexpr std::array kSamplers{Renamed{"dpm_2", "dpm2"}, Renamed{"dpm_2_ancestral", "dpm2_ancestral"},
                               Renamed{"uni_pc", "unipc"}};
/// Schedules that are no schedule of their own here.
constexpr std::array<std::string_view, 2> kPlainSchedules{"normal", "ddim_uniform"};

Error broken(std::string why) {
  return {ErrorCode::unsupported_media, "its ComfyUI graph cannot be read: " + std::move(why)};
}

/// Python writes NaN and Infinity, which JSON does not know: null. Errors: nesting beyond kMaxDepth.
Result<std::string> as_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) out += text[++i];
      quoted = c != '"';
      continue;
    }
    quoted = c == '"';
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) return broken("it is nested too deeply");
    const std::string_view rest = text.substr(i);
    std::size_t skipped = 0;
    for (const std::string_view word :
         {std::string_view("-Infinity"), std::string_view("Infinity"), std::string_view("NaN")}) {
      if (skipped == 0 && rest.starts_with(word)) skipped = word.size();
    }
    if (skipped > 0) {
      out += "null";
      i += skipped - 1;
    } else {
      out += c;
    }
  }
  return out;
}

class Graph {
 public:
  explicit Graph(const Json& nodes) : nodes_(nodes) {}

  /// The first sampler, by its inputs; nothing when there is none.
  [[nodiscard]] const Json* sampler() const {
    for (const auto& [id, node] : nodes_.items()) {
      if (kind(node).find("KSampler") != std::string::npos && inputs(node)) return &node;
    }
    return nullptr;
  }

  /// The first of these inputs that the node has, links to values of other nodes followed.
  [[nodiscard]] const Json* value(const Json* node, std::initializer_list<const char*> names) const {
    for (int link = 0; node != nullptr && link < kMaxLinks; ++link) {
      const Json* found = own_input(*node, names);
      if (found == nullptr || !is_link(*found)) return found;
      node = target(*found);
    }
    return nullptr;
  }

  /// The node that an input of this one leads to.
  [[nodiscard]] const Json* linked(const Json* node, const char* name) const {
    const Json* found = node == nullptr ? nullptr : own_input(*node, {name});
    return found != nullptr && is_link(*found) ? target(*found) : nullptr;
  }

  /// From this node on, through whatever is in between, the nearest that has such an input as a value.
  [[nodiscard]] const Json* nearest(const Json* from, const char* input) const {
    std::set<const Json*> seen;
    std::vector<const Json*> waiting{from};
    while (!waiting.empty() && seen.size() < static_cast<std::size_t>(kMaxLinks)) {
      const Json* node = waiting.front();
      waiting.erase(waiting.begin());
      if (node == nullptr || !seen.insert(node).second) continue;
      const Json* all = inputs(*node);
      if (all == nullptr) continue;
      if (const auto found = all->find(input); found != all->end() && !is_link(*found)) return node;
      for (const Json& each : *all) {
        if (is_link(each)) waiting.push_back(target(each));
      }
    }
    return nullptr;
  }

  static std::string kind(const Json& node) {
    if (!node.is_object()) return {};
    const auto found = node.find("class_type");
    return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

 private:
  static const Json* inputs(const Json& node) {
    if (!node.is_object()) return nullptr;
    const auto found = node.find("inputs");
    return found != node.end() && found->is_object() ? &*found : nullptr;
  }
  static bool is_link(const Json& value) {
    return value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_number_integer();
  }
  [[nodiscard]] const Json* target(const Json& link) const {
    const auto found = nodes_.find(link[0].get<std::string>());
    return found == nodes_.end() ? nullptr : &*found;
  }
  static const Json* own_input(const Json& node, std::initializer_list<const char*> names) {
    const Json* all = inputs(node);
    for (const char* name : names) {
      if (all == nullptr) break;
      if (const auto found = all->find(name); found != all->end()) return &*found;
    }
    return nullptr;
  }

  const Json& nodes_;
};

std::optional<std::string> text(const Json* value) {
  return value != nullptr && value->is_string() ? std::optional(value->get<std::string>()) : std::nullopt;
}

template <class Number>
std::optional<Number> number(const Json* value) {
  if (value == nullptr || !value->is_number()) return std::nullopt;
  if (std::is_integral_v<Number> && !value->is_number_integer()) return std::nullopt;
  return value->get<Number>();
}

/// The prompt that arrives at an input of the sampler.
std::optional<std::string> prompt_at(const Graph& graph, const Json* sampler, const char* input) {
  const Json* start = graph.linked(sampler, input);
  for (const char* name : {"text", "text_g"}) {
    if (const Json* node = graph.nearest(start, name)) return text(graph.value(node, {name}));
  }
  // A text that is itself a link: a node that only holds a string.
  for (const char* name : {"string", "value"}) {
    if (const Json* node = graph.nearest(start, name)) return text(graph.value(node, {name}));
  }
  return std::nullopt;
}

/// The LoRAs on the way from the sampler to its model, the first applied first.
std::vector<Lora> loras_of(const Graph& graph, const Json* sampler) {
  std::vector<Lora> loras;
  const Json* node = graph.linked(sampler, "model");
  for (int link = 0; node != nullptr && link < kMaxLinks; ++link) {
    if (const auto name = text(graph.value(node, {"lora_name"})))
      loras.insert(loras.begin(),
                   {*name, number<double>(graph.value(node, {"strength_model"})).value_or(1.0)});
    node = graph.linked(node, "model");
  }
  return loras;
}

}  // namespace

Result<Recipe> recipe_of_comfy(std::string_view source) {
  if (source.size() > kMaxGraphBytes) return broken("it has " + std::to_string(source.size()) + " bytes");
  auto json = as_json(source);
  if (!json) return json.error();
  const Json nodes = Json::parse(*json, nullptr, /*allow_exceptions=*/false);
  if (!nodes.is_object()) return broken("it is not a JSON object");
  const Graph graph(nodes);
  const Json* sampler = graph.sampler();
  if (sampler == nullptr)
    return Error{ErrorCode::not_found, "its ComfyUI graph has no sampler that is known"};

  Recipe recipe{"ComfyUI", {}, {}};
  JobRequest& request = recipe.request;
  request.prompt = prompt_at(graph, sampler, "positive").value_or("");
  request.negative_prompt = prompt_at(graph, sampler, "negative").value_or("");
  request.has_negative_prompt = !request.negative_prompt.empty();
  request.seed = number<std::int64_t>(graph.value(sampler, {"seed", "noise_seed"}));
  request.steps = number<int>(graph.value(sampler, {"steps"}));
  request.guidance_scale = number<double>(graph.value(sampler, {"cfg"}));
  if (auto name = text(graph.value(sampler, {"sampler_name"}))) {
    for (const Renamed& row : kSamplers) {
      if (*name == row.theirs) *name = row.ours;
    }
    request.sampler = std::move(name);
  }
  if (auto name = text(graph.value(sampler, {"scheduler"}))) {
    const bool plain =
        std::find(kPlainSchedules.begin(), kPlainSchedules.end(), *name) != kPlainSchedules.end();
    if (!plain) request.schedule = std::move(name);
  }
  request.model = text(graph.value(graph.nearest(graph.linked(sampler, "model"), "ckpt_name"), {"ckpt_name"}))
                      .value_or("");
  request.loras = loras_of(graph, sampler);
  const Json* latents = graph.nearest(graph.linked(sampler, "latent_image"), "width");
  const auto width = number<int>(graph.value(latents, {"width"})),
             height = number<int>(graph.value(latents, {"height"}));
  const double strength = number<double>(graph.value(sampler, {"denoise"})).value_or(1.0);
  if (strength < 1.0) {
    request.operation = ImageTransform{{BlobId()}, strength, width, height};
  } else {
    request.operation = ImageGeneration{width, height};
  }
  recipe.other.emplace_back("Sampler node", Graph::kind(*sampler));
  return recipe;
}

}  // namespace waggle::cli
