// The loop over a Follower, and what each event does to the terminal.
#include "consumer/cli/watching.h"

#include <chrono>
#include <cstdio>
#include <string>

#include "consumer/cli/follower.h"
#include "consumer/cli/progress_bar.h"
#include "consumer/cli/report.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
constexpr auto kPatience = 60s;  ///< how long the ledger may be away

ExitCode code_of(const EventBody& end) {
  if (std::holds_alternative<CompletedEvent>(end)) return ExitCode::ok;
  if (std::holds_alternative<CancelledEvent>(end)) return ExitCode::cancelled;
  return ExitCode::job_failed;
}

class EventPrinter {
 public:
  EventPrinter(const Terminal& terminal, Detail detail, bool json)
      : terminal_(terminal), detail_(detail), json_(json), bar_(terminal, "") {}

  void print(const Event& event) {
    const bool end = is_terminal(event.body);
    if (detail_ == Detail::none || (detail_ == Detail::end_only && !end)) return;
    if (json_) {
      std::printf("%s\n", codec::to_json(event).c_str());
      std::fflush(stdout);
      return;
    }
    if (const auto* progress = std::get_if<ProgressEvent>(&event.body)) {
      if (event.attempt != attempt_) bar_.restart();
      attempt_ = event.attempt;
      bar_.update(progress->step, progress->total);
      return;
    }
    if (std::holds_alternative<PreviewEvent>(event.body)) return;
    bar_.clear();
    std::printf("%s\n", event_text(event.body, terminal_.colour_out).c_str());
    if (std::holds_alternative<CompletedEvent>(event.body) && terminal_.out_is_terminal) {
      std::printf("waggle fetch %s -o .\n", event.job.value.c_str());
    }
    std::fflush(stdout);
  }

  void note(const std::string& text) { bar_.note(text); }

 private:
  const Terminal& terminal_;
  Detail detail_;
  bool json_;
  ProgressBar bar_;
  int attempt_ = 0;
};

}  // namespace

ExitCode watch(const Terminal& terminal, Hive& hive, const JobId& job, Detail detail, bool json,
               const program::StopSignal& stop) {
  Follower follower(hive, job);
  EventPrinter printer(terminal, detail, json);
  auto answered_at = Clock::now();
  // An ended job that was queued again by hand goes on after its first end, so the end is the last event of
  // the log.
  std::optional<ExitCode> ended;
  for (;;) {
    auto next = follower.next(ended ? 0ms : 100ms);
    if (!next) {
      const bool may_come_back = next.error().code == ErrorCode::unavailable;
      if (!may_come_back || Clock::now() - answered_at > kPatience) return fail(terminal, next.error());
      printer.note("waiting for Redis");
      if (stop.wait(200ms)) return ExitCode::interrupted;
      continue;
    }
    answered_at = Clock::now();
    if (const auto& event = *next) {
      printer.print(*event);
      ended = is_terminal(event->body) ? std::optional(code_of(event->body)) : std::nullopt;
      continue;
    }
    if (ended) return *ended;
    if (stop.count() > 0) {
      printer.note("");
      if (!json) {
        std::fprintf(stderr, "the job goes on; `waggle cancel %s` stops it\n", job.value.c_str());
      }
      return ExitCode::interrupted;
    }
  }
}

}  // namespace waggle::cli
