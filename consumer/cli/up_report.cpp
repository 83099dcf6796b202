// Texts of `waggle up`.
#include "consumer/cli/up_report.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace waggle::cli {

std::string PoolEndpoints::url() const {
  return "http://" + (host == "0.0.0.0" ? std::string("127.0.0.1") : host) + ":" + std::to_string(port);
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json.append({'\\', c});
    } else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      json += escape;
    } else {
      json += c;
    }
  }
  return json + '"';
}

std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string endpoints_json(const PoolEndpoints& endpoints) {
  std::string json = "{";
  const auto add = [&json](std::string_view key, const std::string& value) {
    if (json.back() != '{') json += ',';
    json.append(json_string(key)).append(":").append(value);
  };
  add("url", json_string(endpoints.url()));
  add("connect", json_string(endpoints.connect));
  add("redis_url", json_string(endpoints.redis_url));
  add("data", json_string(endpoints.data));
  add("pids", "");
  json += '{';
  for (const auto& [part, pid] : endpoints.pids) add(part, std::to_string(pid));
  return json + "}}\n";
}

std::string endpoints_text(const PoolEndpoints& endpoints) {
  return "\nready: " + endpoints.url() +
         "\n\nFor `waggle submit`, `waggle workers` and the others in another terminal:\n" +
         "  export WAGGLE_CONNECT=" + shell_word(endpoints.connect) + "\n" +
         "  export WAGGLE_REDIS_URL=" + shell_word(endpoints.redis_url) + "\n\nCtrl-C stops everything.\n\n";
}

void LogPrinter::print(std::string_view part, std::string_view line) {
  // Only a filter for the eyes: a line that says neither is for those who look without --quiet.
  constexpr std::array kLoud{"warn", "error", "critical", "starting it again"};
  if (quiet_) {
    bool loud = false;
    for (const char* word : kLoud) loud = loud || line.find(word) != std::string_view::npos;
    if (!loud) return;
  }
  constexpr std::array kColours{Colour::dim, Colour::cyan, Colour::green, Colour::yellow};
  const auto known =
      colours_.try_emplace(std::string(part), kColours[colours_.size() % kColours.size()]).first;
  std::string head(part);
  head.resize(std::max<std::size_t>(head.size(), 8), ' ');
  std::fprintf(stderr, "%s %s\n", paint(terminal_.colour_err, known->second, head + " |").c_str(),
               printable(line).c_str());
}

}  // namespace waggle::cli
