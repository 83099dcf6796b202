// One pass over the events.
#include "consumer/cli/observe/job_story.h"

#include <cstdio>
#include <ctime>
#include <utility>
#include <variant>

#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

/// How an attempt ended, by the event that ended it; empty for other events.
std::string end_of(const EventBody& body) {
  if (const auto* retried = std::get_if<RetriedEvent>(&body))
    return "retried: " + std::string(traits(retried->error.code).name);
  if (const auto* failed = std::get_if<FailedEvent>(&body))
    return "failed: " + std::string(traits(failed->error.code).name);
  if (const auto* dead = std::get_if<DeadEvent>(&body))
    return "dead: " + std::string(traits(dead->error.code).name);
  return is_terminal(body) ? std::string(name(body)) : std::string();
}

}  // namespace

std::vector<AttemptStory> attempts_of(const std::vector<Event>& events) {
  std::vector<AttemptStory> attempts;
  for (const Event& event : events) {
    if (const auto* started = std::get_if<StartedEvent>(&event.body)) {
      AttemptStory attempt;
      attempt.number = event.attempt;
      attempt.worker = started->worker.value;
      attempt.started_at_ms = event.at_ms;
      attempts.push_back(std::move(attempt));
      continue;
    }
    if (attempts.empty() || attempts.back().ended_at_ms) continue;
    AttemptStory& attempt = attempts.back();
    if (const auto* progress = std::get_if<ProgressEvent>(&event.body)) {
      attempt.step = progress->step;
      attempt.total = progress->total;
    }
    if (auto end = end_of(event.body); !end.empty()) {
      attempt.end = std::move(end);
      attempt.ended_at_ms = event.at_ms;
    }
  }
  return attempts;
}

std::string time_text(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32], text[48];
  if (std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts) == 0) return "-";
  std::snprintf(text, sizeof text, "%s.%03dZ", day, static_cast<int>(at_ms % 1000));
  return text;
}

std::string log_line(const Event& event, bool colour) {
  const std::string attempt = event.attempt > 0 ? std::to_string(event.attempt) : "-";
  return paint(colour, Colour::dim, time_text(event.at_ms)) + "  " + attempt + "  " +
         event_text(event.body, colour);
}

bool is_progress(const EventBody& body) {
  return std::holds_alternative<ProgressEvent>(body) || std::holds_alternative<PreviewEvent>(body);
}

Result<std::vector<Event>> read_log(Hive& hive, const JobId& job) {
  std::vector<Event> all;
  for (EventId after;;) {
    auto page = hive.ledger().events(job, after);
    if (!page) return page.error();
    if (page->events.empty()) return all;
    after = page->events.back().id;
    for (Event& event : page->events) all.push_back(std::move(event));
  }
}

}  // namespace waggle::cli
