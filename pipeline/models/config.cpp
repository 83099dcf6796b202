// Typed access to config.json with errors that name file and key.
#include "pipeline/models/config.h"

#include <fstream>
#include <iterator>

#include "pipeline/weights/load_error.h"
#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

constexpr std::uintmax_t kMaxConfigBytes = 4u << 20;
constexpr std::int64_t kMaxInteger =
    1 << 24;  // no width, depth or vocabulary is larger; keeps products in range

}  // namespace

Config Config::read(const std::filesystem::path& file) {
  const std::string name = file.parent_path().filename().string() + "/" + file.filename().string();
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) throw LoadError(name + ": cannot be read: " + error.message());
  if (bytes > kMaxConfigBytes) throw LoadError(name + ": is larger than 4 MiB");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto json = parse_shallow_json(text);
  if (!json.is_object()) throw LoadError(name + ": is not a JSON object");
  return {std::move(json), name};
}

Config::Config(nlohmann::json json, std::string name) : json_(std::move(json)), name_(std::move(name)) {}

void Config::fail(const char* key, const std::string& what) const {
  throw LoadError(name_ + ": /" + key + " " + what);
}

bool Config::has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

std::int64_t Config::integer(const char* key, std::optional<std::int64_t> otherwise) const {
  if (!has(key)) return otherwise ? *otherwise : (fail(key, "is missing"), 0);
  if (!json_[key].is_number_integer()) fail(key, "must be a whole number");
  const auto value = json_[key].get<std::int64_t>();
  if (value < 0 || value > kMaxInteger) fail(key, "must be between 0 and " + std::to_string(kMaxInteger));
  return value;
}

double Config::number(const char* key, std::optional<double> otherwise) const {
  if (!has(key)) return otherwise ? *otherwise : (fail(key, "is missing"), 0.0);
  if (!json_[key].is_number()) fail(key, "must be a number");
  return json_[key].get<double>();
}

bool Config::boolean(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  if (!json_[key].is_boolean()) fail(key, "must be true or false");
  return json_[key].get<bool>();
}

std::string Config::text(const char* key, std::optional<std::string> otherwise) const {
  if (!has(key)) return otherwise ? *otherwise : (fail(key, "is missing"), std::string());
  if (!json_[key].is_string()) fail(key, "must be a text");
  return json_[key].get<std::string>();
}

std::vector<std::string> Config::texts(const char* key) const {
  if (!has(key) || !json_[key].is_array()) fail(key, "must be a list of texts");
  std::vector<std::string> values;
  for (const auto& item : json_[key]) {
    if (!item.is_string()) fail(key, "must be a list of texts");
    values.push_back(item.get<std::string>());
  }
  return values;
}

std::vector<std::int64_t> Config::integers(const char* key) const {
  if (!has(key) || !json_[key].is_array()) fail(key, "must be a list of whole numbers");
  std::vector<std::int64_t> values;
  for (const auto& item : json_[key]) {
    if (!item.is_number_integer() || item.get<std::int64_t>() <= 0 || item.get<std::int64_t>() > kMaxInteger)
      fail(key, "must be a list of whole numbers between 1 and " + std::to_string(kMaxInteger));
    values.push_back(item.get<std::int64_t>());
  }
  if (values.empty() || values.size() > 16) fail(key, "must have 1 to 16 entries");
  return values;
}

std::vector<std::int64_t> Config::per_level(const char* key, std::size_t count,
                                            std::optional<std::int64_t> otherwise) const {
  if (!has(key) || !json_[key].is_array()) {
    const auto value = integer(key, otherwise);
    if (value == 0) fail(key, "must not be 0");
    return std::vector<std::int64_t>(count, value);
  }
  auto values = integers(key);
  if (values.size() != count) fail(key, "must have " + std::to_string(count) + " entries");
  return values;
}

void Config::require(const char* key, const nlohmann::json& value) const {
  if (has(key) && json_[key] != value)
    fail(key, "has a value that is not supported: " + json_[key].dump().substr(0, 80));
}

}  // namespace waggle::pipeline
