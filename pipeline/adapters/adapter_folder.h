// A worker's own folder of LoRAs, embeddings, VAEs or ControlNets, in which requests name entries. Whatever a
// name says, nothing outside the folder is found.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waggle::pipeline {

class AdapterFolder {
 public:
  /// Empty: nothing is found.
  explicit AdapterFolder(std::filesystem::path dir) : dir_(std::move(dir)) {}

  /// `<name>` when it ends in `ending`, or `<name><ending>`, if it is a file.
  [[nodiscard]] std::optional<std::filesystem::path> file(std::string_view name,
                                                          std::string_view ending = ".safetensors") const;
  /// The folder `<name>`.
  [[nodiscard]] std::optional<std::filesystem::path> folder(std::string_view name) const;
  /// Names, without their ending, of the files with this ending, in order.
  [[nodiscard]] std::vector<std::string> files(std::string_view ending = ".safetensors") const;

  /// Names of the folders that hold this file, in order.
  [[nodiscard]] std::vector<std::string> folders_with(std::string_view file) const;

  [[nodiscard]] const std::filesystem::path& path() const { return dir_; }

 private:
  std::filesystem::path dir_;
};

}  // namespace waggle::pipeline
