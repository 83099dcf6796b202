// `waggle top`.
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "consumer/cli/observe/live_screen.h"
#include "consumer/cli/observe/top_screen.h"
#include "consumer/program/stop_signal.h"

namespace waggle::cli {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct TopFlags {
  HiveFlags hive;
  double every_s = 1;
  bool once = false;
};

ExitCode snapshot(const Terminal& terminal, const TopFlags& flags, Hive& hive) {
  auto view = look(hive);
  if (!view) return fail(terminal, view.error());
  view->ended_per_min = ends_in_last_minute(view->ended, view->at_ms);
  if (flags.hive.json) {
    std::printf("%s\n", view_json(*view).c_str());
    return ExitCode::ok;
  }
  // Rows without end; a pipe has no width either.
  const int columns = terminal.out_is_terminal ? terminal.width : 1000;
  for (const std::string& line :
       top_screen(*view, {columns, 0}, {.colour = terminal.colour_out, .trouble = {}}))
    std::printf("%s\n", line.c_str());
  return ExitCode::ok;
}

ExitCode live(const Terminal& terminal, const TopFlags& flags, Hive& hive, const program::StopSignal& stop) {
  auto first = look(hive);
  if (!first) return fail(terminal, first.error());
  PoolView view = std::move(first).value();
  EndRate rate;
  rate.add(ended_count(view.stats), Clock::now());
  view.ended_per_min = ends_in_last_minute(view.ended, view.at_ms);
  ScreenStyle style{.colour = terminal.colour_out, .keys = true, .trouble = {}};

  LiveScreen screen;
  const auto every =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(flags.every_s));
  auto look_at = Clock::now() + every;
  std::future<Result<PoolView>> looking;  // on another thread: a queen that is away must not stop the keys
  std::optional<TerminalSize> drawn;
  while (stop.count() == 0) {
    const TerminalSize size = LiveScreen::size();
    if (drawn != size) screen.draw(top_screen(view, size, style));
    drawn = size;
    if (const auto key = screen.key(100ms)) {
      if (*key == 'q' || *key == 'Q') break;
      if (*key == 'p' || *key == 'P') {
        style.paused = !style.paused;
        drawn.reset();
      }
    }
    if (looking.valid() && looking.wait_for(0ms) == std::future_status::ready) {
      auto next = looking.get();
      look_at = Clock::now() + every;
      if (style.paused) continue;
      style.trouble = next ? std::string() : to_string(next.error());
      if (next) {
        view = std::move(next).value();
        rate.add(ended_count(view.stats), Clock::now());
        view.ended_per_min = rate.per_min();
      }
      drawn.reset();
    }
    if (!style.paused && !looking.valid() && Clock::now() >= look_at)
      looking = std::async(std::launch::async, [&hive] { return look(hive); });
  }
  return ExitCode::ok;
}

ExitCode top(const Terminal& terminal, const TopFlags& flags) {
  const program::StopSignal stop;
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());
  const bool watched = terminal.out_is_terminal && isatty(STDIN_FILENO) == 1;
  if (flags.once || flags.hive.json || !watched) return snapshot(terminal, flags, **hive);
  return live(terminal, flags, **hive, stop);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<TopFlags>();
  app.add_option("--every", flags->every_s, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_flag("--once", flags->once, "Print what is now and end; so it is without a terminal");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return top(terminal, *flags); };
}

}  // namespace

const Command kTopCommand{"top", "Watch the pool: depth of the queue, workers, jobs in hand, recent ends",
                          "  waggle top\n"
                          "  waggle top --once\n"
                          "  waggle top --json | jq '.models[] | select(.queued > 100)'\n",
                          attach};

}  // namespace waggle::cli
