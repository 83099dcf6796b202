// The operation log: one JSON line for everything that was done, told or found, for people who look into a
// failure. Times are milliseconds since the epoch, which on one machine is Redis's clock too.
#pragma once

#include <fstream>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace waggle::chaos {

class Journal {
 public:
  /// Throws std::runtime_error when the file cannot be written.
  explicit Journal(const std::string& path);

  /// Thread-safe. Values are written as JSON strings.
  void note(std::string_view what, std::initializer_list<std::pair<std::string_view, std::string>> fields);

 private:
  std::mutex mutex_;
  std::ofstream file_;
};

}  // namespace waggle::chaos
