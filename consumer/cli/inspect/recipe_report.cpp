// The wording. Every text comes from a stranger's file, so none reaches the terminal as it is.
#include "consumer/cli/inspect/recipe_report.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "consumer/cli/report.h"
#include "schemas/codec/json.h"
#include "schemas/pictures.h"

namespace waggle::cli {

namespace {

/// JSON of text that may hold anything.
std::string dumped(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string number_text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

/// Rows "name  value"; the further lines of a value stand below its first.
class Rows {
 public:
  explicit Rows(const Terminal& terminal) : terminal_(terminal) {}

  void add(std::string_view name, std::string_view value) {
    rows_.emplace_back(printable(name, terminal_.utf8), value);
  }
  template <class Value>
  void add(std::string_view name, const std::optional<Value>& value) {
    if (value) add(name, text(*value));
  }
  [[nodiscard]] std::string finished() const {
    std::size_t widest = 0;
    for (const auto& [name, value] : rows_) widest = std::max(widest, name.size());
    widest = std::min<std::size_t>(widest, 24);
    std::string out;
    for (const auto& [name, value] : rows_) {
      std::string head = name;
      head.resize(std::max(head.size(), widest), ' ');
      std::string_view rest = value;
      do {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out +=
            paint(terminal_.colour_out, Colour::cyan, head) + "  " + printable(line, terminal_.utf8) + "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
        head.assign(head.size(), ' ');
      } while (!rest.empty());
    }
    return out;
  }

 private:
  static std::string text(const std::string& value) { return value; }
  static std::string text(double value) { return number_text(value); }
  static std::string text(std::int64_t value) { return std::to_string(value); }
  static std::string text(int value) { return std::to_string(value); }

  const Terminal& terminal_;
  std::vector<std::pair<std::string, std::string>> rows_;
};

std::string size_text(std::optional<int> width, std::optional<int> height) {
  if (!width || !height) return {};
  return std::to_string(*width) + "x" + std::to_string(*height);
}

void add_operation(Rows& rows, const JobRequest& request) {
  if (const auto* generation = std::get_if<ImageGeneration>(&request.operation)) {
    if (const auto size = size_text(generation->width, generation->height); !size.empty())
      rows.add("size", size);
  } else if (const auto* transform = std::get_if<ImageTransform>(&request.operation)) {
    if (const auto size = size_text(transform->width, transform->height); !size.empty())
      rows.add("size", size);
    rows.add("strength", number_text(transform->strength));
  } else if (const auto* inpaint = std::get_if<ImageInpaint>(&request.operation)) {
    rows.add("strength", number_text(inpaint->strength));
  }
  for (const auto& [path, input] : pictures_of(request)) {
    const auto* reference = std::get_if<BlobId>(&input->source);
    rows.add(path.substr(1),
             reference == nullptr || reference->value.empty() ? "another picture" : reference->value);
  }
}

void add_request(Rows& rows, const JobRequest& request) {
  rows.add("prompt", request.prompt);
  if (!request.negative_prompt.empty()) rows.add("negative prompt", request.negative_prompt);
  if (!request.model.empty()) rows.add("model", request.model);
  rows.add("seed", request.seed);
  rows.add("steps", request.steps);
  rows.add("guidance", request.guidance_scale);
  rows.add("sampler", request.sampler);
  rows.add("schedule", request.schedule);
  add_operation(rows, request);
  rows.add("clip skip", request.clip_skip);
  if (const auto& interval = request.guidance_interval)
    rows.add("guidance interval", number_text(interval->from) + " to " + number_text(interval->to));
  rows.add("deep cache", request.deep_cache);
  rows.add("token merging", request.token_merging);
  for (const Lora& lora : request.loras) rows.add("lora", lora.path + ":" + number_text(lora.strength));
}

}  // namespace

Result<PictureFacts> facts_of(std::string file, std::string_view bytes) {
  auto header = read_picture_header(bytes);
  if (!header) return header.error();
  auto texts = pipeline::read_text(bytes);
  if (!texts) return texts.error();
  auto recipe = recipe_of(*texts);
  return PictureFacts{std::move(file), static_cast<std::int64_t>(bytes.size()), *header,
                      std::move(texts).value(), std::move(recipe)};
}

std::string request_text(const JobRequest& request, const Terminal& terminal) {
  Rows rows(terminal);
  add_request(rows, request);
  return rows.finished();
}

std::string facts_text(const PictureFacts& facts, const Terminal& terminal) {
  std::string out = printable(facts.file, terminal.utf8) + ": " + std::string(name(facts.header.format)) +
                    ", " + std::to_string(facts.header.width) + "x" + std::to_string(facts.header.height) +
                    ", " + bytes_text(facts.bytes);
  if (!facts.recipe) return out + "\n";
  const Recipe& recipe = *facts.recipe;
  const JobRequest& request = recipe.request;
  Rows rows(terminal);
  add_request(rows, request);
  for (const auto& [key, value] : recipe.other) rows.add(key, value);
  return out + ", by " + printable(recipe.program, terminal.utf8) + "\n" + rows.finished();
}

std::string raw_text(const PictureFacts& facts, bool utf8) {
  std::string out;
  for (const auto& [key, value] : facts.texts) {
    out += printable(key, utf8) + ":\n";
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out += printable(rest.substr(0, end), utf8) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

std::string facts_json(const PictureFacts& facts) {
  nlohmann::ordered_json json{{"file", facts.file},
                              {"format", name(facts.header.format)},
                              {"width", facts.header.width},
                              {"height", facts.header.height},
                              {"bytes", facts.bytes}};
  if (facts.recipe) {
    json["program"] = facts.recipe->program;
    json["job"] = nlohmann::ordered_json::parse(codec::to_json(facts.recipe->request), nullptr, false);
    auto& other = json["other"] = nlohmann::ordered_json::object();
    for (const auto& [key, value] : facts.recipe->other) other[key] = value;
  } else {
    json["program"] = nullptr;
    json["error"] = facts.recipe.error().message;
  }
  auto& texts = json["texts"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : facts.texts) texts[key] = value;
  return dumped(json);
}

}  // namespace waggle::cli
