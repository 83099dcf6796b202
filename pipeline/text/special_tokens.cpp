// Special tokens: see pipeline/text/special_tokens.h.
#include "pipeline/text/special_tokens.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "pipeline/text/token_ids.h"

namespace waggle::pipeline {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 1u << 20;
constexpr int kMaxDepth = 16;

Status read_token(const std::filesystem::path& file, const json& config, const char* key,
                  std::string& token) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return Done{};
  const json* value = &*found;
  if (value->is_object()) {
    const auto content = value->find("content");
    if (content == value->end()) return load_error(file, 0, std::string(key) + " has no content");
    value = &*content;
  }
  if (!value->is_string()) return load_error(file, 0, std::string(key) + " is no string");
  token = value->get<std::string>();
  return Done{};
}

Status read_file(const std::filesystem::path& file, SpecialTokens& tokens) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return Done{};
  Result<std::string> content = read_small_file(file);
  if (!content) return std::move(content).error();
  if (content->size() > kMaxConfigBytes)
    return load_error(file, 0, "has more than 1 MiB, which no such file needs");
  bool too_deep = false;
  const auto stop_at_depth = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  const json config = json::parse(*content, stop_at_depth, /*allow_exceptions=*/false);
  if (too_deep || !config.is_object()) return load_error(file, 0, "is not a JSON object");
  if (Status read = read_token(file, config, "bos_token", tokens.begin); !read) return read;
  if (Status read = read_token(file, config, "eos_token", tokens.end); !read) return read;
  return read_token(file, config, "pad_token", tokens.pad);
}

}  // namespace

Result<SpecialTokens> read_special_tokens(const std::filesystem::path& dir) {
  SpecialTokens tokens;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    if (Status read = read_file(dir / name, tokens); !read) return std::move(read).error();
  }
  return tokens;
}

}  // namespace waggle::pipeline
