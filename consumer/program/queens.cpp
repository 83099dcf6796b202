// Takes --connect apart.
#include "consumer/program/queens.h"

#include <charconv>
#include <sstream>
#include <string_view>

#include <CLI/CLI.hpp>

namespace waggle::program {
namespace {

constexpr int kMaxPort = 65535;

Error bad_queen(const std::string& text) {
  return Error{ErrorCode::invalid_request,
               "--connect " + text + ": must be tcp://host:port or REQUESTS,PUBLISH,COLLECT"};
}

Result<bus::Endpoints> parse_queen(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream rest(text);
  for (std::string part; std::getline(rest, part, ',');) {
    if (part.find("://") == std::string::npos) return bad_queen(text);
    parts.push_back(std::move(part));
  }
  if (parts.size() == 3) return bus::Endpoints{parts[0], parts[1], parts[2]};
  const auto colon = text.rfind(':');
  if (parts.size() != 1 || !text.starts_with("tcp://") || colon < 6) return bad_queen(text);
  int port = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || parsed != end || port < 1 || port + 2 > kMaxPort) return bad_queen(text);
  const std::string host = text.substr(0, colon + 1);
  return bus::Endpoints{text, host + std::to_string(port + 1), host + std::to_string(port + 2)};
}

}  // namespace

void add_connect_flag(CLI::App& flags, std::vector<std::string>& values) {
  flags.add_option("--connect", values,
                   "A queen: tcp://host:port, or REQUESTS,PUBLISH,COLLECT; may be repeated");
}

Result<std::vector<bus::Endpoints>> parse_queens(const std::vector<std::string>& values) {
  std::vector<bus::Endpoints> queens;
  for (const std::string& value : values) {
    std::istringstream words(value);
    for (std::string word; words >> word;) {
      auto queen = parse_queen(word);
      if (!queen) return std::move(queen).error();
      queens.push_back(std::move(queen).value());
    }
  }
  if (queens.empty()) queens.emplace_back();
  return queens;
}

std::vector<std::string> each(const std::vector<bus::Endpoints>& queens,
                              std::string bus::Endpoints::*endpoint) {
  std::vector<std::string> endpoints;
  for (const bus::Endpoints& queen : queens) endpoints.push_back(queen.*endpoint);
  return endpoints;
}

}  // namespace waggle::program
