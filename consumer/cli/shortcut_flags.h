// The flags of what a job may leave out knowingly, for speed: guidance outside of an interval, the UNet's
// deep levels at most evaluations, tokens that resemble others. All are off unless given.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/operation.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::cli {

struct ShortcutFlags {
  std::optional<std::string> guidance_interval{};
  std::optional<int> deep_cache{};
  std::optional<double> token_merging{};
};

void add_shortcut_flags(CLI::App& app, ShortcutFlags& flags);

/// "0.2:0.8". Errors: invalid_request.
Result<Interval> parse_interval(std::string_view text);

/// Errors: invalid_request in terms of flags.
Status set_shortcuts(const ShortcutFlags& flags, JobRequest& request);

}  // namespace waggle::cli
