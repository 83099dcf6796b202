// What `waggle up` shows: the endpoints of its pool, and the log lines of its parts.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "consumer/cli/terminal.h"

namespace waggle::cli {

struct PoolEndpoints {
  std::string connect;    ///< for --connect
  std::string redis_url;  ///< for --redis-url
  std::string host;       ///< of the bridge
  int port = 0;
  std::string data;                               ///< folder of Redis's files
  std::vector<std::pair<std::string, int>> pids;  ///< of the parts as they were started
  [[nodiscard]] std::string url() const;
};

/// {"url":...,"connect":...,"redis_url":...,"data":...,"pids":{"redis":...}} and a line feed.
std::string endpoints_json(const PoolEndpoints& endpoints);
/// The URL, and the two lines that make other commands find this pool.
std::string endpoints_text(const PoolEndpoints& endpoints);

/// The text as a JSON string, quotes included. Takes UTF-8.
std::string json_string(std::string_view text);
/// The text as one word of a POSIX shell.
std::string shell_word(std::string_view text);

/// Prefixes each line with its part, one colour each, on standard error.
class LogPrinter {
 public:
  LogPrinter(const Terminal& terminal, bool quiet) : terminal_(terminal), quiet_(quiet) {}
  void print(std::string_view part, std::string_view line);

 private:
  const Terminal& terminal_;
  bool quiet_;
  std::map<std::string, Colour, std::less<>> colours_;
};

}  // namespace waggle::cli
