// Lines of JSON.
#include "tests/chaos/journal.h"

#include <chrono>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace waggle::chaos {

Journal::Journal(const std::string& path) : file_(path) {
  if (!file_) throw std::runtime_error("cannot write " + path);
}

void Journal::note(std::string_view what,
                   std::initializer_list<std::pair<std::string_view, std::string>> fields) {
  using namespace std::chrono;
  nlohmann::ordered_json line;
  line["at_ms"] = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  line["what"] = what;
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  const std::lock_guard lock(mutex_);
  file_ << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace waggle::chaos
