// Shortcut flags to a request.
#include "consumer/cli/shortcut_flags.h"

#include <charconv>

#include <CLI/CLI.hpp>

namespace waggle::cli {

namespace {

bool parse_share(std::string_view text, double& share) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void add_shortcut_flags(CLI::App& app, ShortcutFlags& flags) {
  app.add_option(
         "--guidance-interval", flags.guidance_interval,
         "Guide only in this share of the run, such as 0.1:0.8: the other steps cost half (default: all)")
      ->type_name("FROM:TO");
  app.add_option("--deep-cache", flags.deep_cache,
                 "Compute the UNet's deep levels only at every N-th step (default: at each)")
      ->type_name("N");
  app.add_option("--token-merging", flags.token_merging,
                 "Merge this share of similar tokens before self attention, at most 0.75 (default: none)")
      ->type_name("SHARE");
}

Result<Interval> parse_interval(std::string_view text) {
  Interval interval;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !parse_share(text.substr(0, colon), interval.from) ||
      !parse_share(text.substr(colon + 1), interval.to)) {
    return Error{ErrorCode::invalid_request,
                 "--guidance-interval must be FROM:TO, such as 0.1:0.8, is \"" + std::string(text) + "\""};
  }
  return interval;
}

Status set_shortcuts(const ShortcutFlags& flags, JobRequest& request) {
  request.deep_cache = flags.deep_cache;
  request.token_merging = flags.token_merging;
  if (!flags.guidance_interval) return Done{};
  auto interval = parse_interval(*flags.guidance_interval);
  if (!interval) return interval.error();
  request.guidance_interval = *interval;
  return Done{};
}

}  // namespace waggle::cli
