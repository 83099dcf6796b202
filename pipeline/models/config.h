// config.json of a model's part: typed access that names the file and the key when something does not fit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace waggle::pipeline {

/// One JSON object read from a file. All accessors throw LoadError naming file and key.
class Config {
 public:
  static Config read(const std::filesystem::path& file);
  Config(nlohmann::json json, std::string name);

  [[nodiscard]] bool has(const char* key) const;  ///< present and not null
  [[nodiscard]] std::int64_t integer(const char* key, std::optional<std::int64_t> otherwise = {}) const;
  [[nodiscard]] double number(const char* key, std::optional<double> otherwise = {}) const;
  [[nodiscard]] bool boolean(const char* key, bool otherwise) const;
  [[nodiscard]] std::string text(const char* key, std::optional<std::string> otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> texts(const char* key) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const char* key) const;
  /// A number, used `count` times, or a list of exactly `count` numbers.
  [[nodiscard]] std::vector<std::int64_t> per_level(const char* key, std::size_t count,
                                                    std::optional<std::int64_t> otherwise = {}) const;
  /// Throws unless the key is absent, null or equal to `value`: an option that the model code does not have.
  void require(const char* key, const nlohmann::json& value) const;

  [[nodiscard]] const nlohmann::json& json() const { return json_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[noreturn]] void fail(const char* key, const std::string& what) const;
  nlohmann::json json_;
  std::string name_;
};

}  // namespace waggle::pipeline
