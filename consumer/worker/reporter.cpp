// The queue of reports and what becomes of each.
#include "consumer/worker/reporter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

#include "consumer/bus/topics.h"
#include "consumer/program/queens.h"
#include "consumer/worker/boundary.h"
#include "consumer/worker/verdict.h"
#include "schemas/codec/msgpack.h"

namespace waggle::worker {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBackedUp = 64;  // reports waiting from which on previews are dropped
constexpr std::size_t kAtOnce = 16;
constexpr auto kRetryEvery = 200ms;

Event event_of(const Assignment& assignment, EventBody body) {
  Event event;
  event.job = assignment.claimed.lease.job;
  event.attempt = assignment.claimed.lease.attempt;
  event.body = std::move(body);
  return event;
}

}  // namespace

Reporter::Reporter(const Settings& settings, bus::Context& context, Gone gone)
    : settings_(settings),
      ledger_(settings.redis),
      publisher_(context, program::each(settings.queens, &bus::Endpoints::collect)),
      gone_(std::move(gone)),
      thread_([this] { run(); }) {}

Reporter::~Reporter() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  ledger_.interrupt();
  thread_.join();
}

void Reporter::started(const AssignmentPtr& assignment) { push(assignment, assignment->claimed.started); }

void Reporter::progress(const AssignmentPtr& assignment, int step, int total) {
  push(assignment, ProgressEvent{step, total, total > 0 ? 100.0 * step / total : 0.0});
}

void Reporter::preview(const AssignmentPtr& assignment, pipeline::Preview preview) {
  push(assignment, std::move(preview));
}

void Reporter::image(const AssignmentPtr& assignment, pipeline::RenderedImage image) {
  push(assignment, std::move(image));
}

void Reporter::end(const AssignmentPtr& assignment, Result<pipeline::RenderSummary> result) {
  push(assignment, std::move(result));
}

void Reporter::release(const AssignmentPtr& assignment) { push(assignment, Release{}); }

bool Reporter::goes_together(const Content& content) {
  return std::holds_alternative<End>(content) || std::holds_alternative<ProgressEvent>(content);
}

void Reporter::push(const AssignmentPtr& assignment, Content content) {
  {
    const std::lock_guard lock(mutex_);
    if (std::holds_alternative<pipeline::Preview>(content) && queue_.size() >= kBackedUp) return;
    if (std::holds_alternative<ProgressEvent>(content)) {
      const auto waiting = std::find_if(queue_.begin(), queue_.end(), [&](const Report& report) {
        return report.assignment == assignment && std::holds_alternative<ProgressEvent>(report.content);
      });
      if (waiting != queue_.end()) {
        waiting->content = std::move(content);
        return;
      }
    }
    queue_.push_back({assignment, std::move(content)});
  }
  changed_.notify_all();
}

void Reporter::run() {
  while (true) {
    std::vector<Report> reports = next();
    if (reports.empty()) return;
    if (std::holds_alternative<End>(reports.front().content)) {
      end_all(reports);
    } else if (std::holds_alternative<ProgressEvent>(reports.front().content)) {
      progress_all(reports);
    } else {
      handle(reports.front());
    }
  }
}

std::vector<Reporter::Report> Reporter::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
  std::vector<Report> reports;
  while (!closing_ && !queue_.empty() && reports.size() < kAtOnce) {
    const Content& content = queue_.front().content;
    const bool fits =
        reports.empty() || (goes_together(content) && content.index() == reports.front().content.index());
    if (!fits) break;
    reports.push_back(std::move(queue_.front()));
    queue_.pop_front();
    if (!goes_together(reports.front().content)) break;
  }
  return reports;
}

void Reporter::handle(Report& report) noexcept {
  Assignment& assignment = *report.assignment;
  if (assignment.ended) return;
  std::optional<Verdict> verdict;
  const Status done = at_boundary(assignment.claimed.lease.job, [&]() -> Status {
    if (std::holds_alternative<Release>(report.content)) {
      verdict = give_back(assignment);
    } else if (assignment.stopped() != Stop::lost) {
      // The claim has logged it.
      if (const auto* started = std::get_if<Event>(&report.content)) publish(*started);
      if (auto* preview = std::get_if<pipeline::Preview>(&report.content)) tell(assignment, *preview);
      if (auto* image = std::get_if<pipeline::RenderedImage>(&report.content)) tell(assignment, *image);
    }
    return Done{};
  });
  if (!std::holds_alternative<Release>(report.content)) return;
  assignment.ended = true;
  if (!done && !verdict) verdict = Verdict{{}, done.error()};
  gone_(report.assignment, *verdict);
}

void Reporter::end_all(std::vector<Report>& reports) noexcept {
  std::vector<Closing> ends;
  for (const Report& report : reports) {
    Assignment& assignment = *report.assignment;
    if (std::exchange(assignment.ended, true)) continue;
    std::optional<Verdict> verdict;
    const Status done = at_boundary(assignment.claimed.lease.job, [&]() -> Status {
      if (assignment.stopped() == Stop::lost) {
        verdict = Verdict{};
      } else if (auto end = closing(report.assignment, std::get<End>(report.content))) {
        ends.push_back(std::move(*end));
      } else {
        verdict = give_back(assignment);
      }
      return Done{};
    });
    if (!done) verdict = Verdict{{}, done.error()};
    if (verdict) gone_(report.assignment, *verdict);
  }
  if (ends.empty()) return;
  const Status done = at_boundary(ends.front().assignment->claimed.lease.job, [&]() -> Status {
    record(ends);
    return Done{};
  });
  for (Closing& end : ends) {
    if (!done) end.verdict.error = done.error();
    spdlog::error("job {}: its end could not be recorded", end.assignment->claimed.lease.job.value);
    gone_(end.assignment, end.verdict);
  }
}

template <class Call>
auto Reporter::insist(const Assignment& assignment, Call call) -> decltype(call()) {
  while (true) {
    auto result = call();
    if (result || result.error().code != ErrorCode::unavailable || assignment.stopped() == Stop::lost)
      return result;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kRetryEvery, [this] { return closing_; })) return result;
  }
}

void Reporter::publish(const Event& event) {
  publisher_.send(bus::events_topic(event.job), codec::to_msgpack(event));
}

void Reporter::progress_all(const std::vector<Report>& reports) noexcept {
  // What failed is told in the log, and a lost progress event is no loss.
  static_cast<void>(at_boundary(reports.front().assignment->claimed.lease.job, [&]() -> Status {
    std::vector<ledger::Appending> events;
    for (const auto& [assignment, content] : reports) {
      if (assignment->ended || assignment->stopped() == Stop::lost) continue;
      events.push_back({assignment->claimed.lease, event_of(*assignment, std::get<ProgressEvent>(content))});
    }
    const auto numbers = ledger_.append_many(events, settings_.policy);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i]) publish(events[i].event);
    }
    return Done{};
  }));
}

void Reporter::tell(Assignment& assignment, pipeline::Preview& preview) {
  Event event = event_of(assignment, PreviewEvent{preview.step, preview.total, preview.index, preview.format,
                                                  std::move(preview.bytes)});
  if (ledger_.append(assignment.claimed.lease, event, settings_.policy)) publish(event);
}

void Reporter::tell(Assignment& assignment, pipeline::RenderedImage& image) {
  const auto wanted = static_cast<std::size_t>(assignment.claimed.request.n);
  if (assignment.images.size() + 1 == wanted && !assignment.commit_error) {
    assignment.last_image = std::move(image);
    return;
  }
  const auto committed = insist(assignment, [&] {
    return ledger_.commit_image(assignment.claimed.lease, image.info, image.bytes, settings_.policy);
  });
  if (committed) {
    assignment.images.push_back(image.info);
    return;
  }
  spdlog::warn("job {}: image {} was not stored: {}", assignment.claimed.lease.job.value, image.info.index,
               to_string(committed.error()));
  assignment.commit_error = committed.error();
}

std::optional<Reporter::Closing> Reporter::closing(const AssignmentPtr& assignment, const End& result) {
  const double render_s =
      std::chrono::duration<double>(Assignment::Clock::now() - assignment->claimed_at).count();
  assignment->ending = true;
  Closing end{assignment, {assignment->claimed.lease, {}}, {}};
  if (assignment->last_image) {
    end.ending.images.push_back({assignment->last_image->info, assignment->last_image->bytes});
    assignment->images.push_back(assignment->last_image->info);
  }
  auto body = end_of(*assignment, result, render_s);
  if (!body) return std::nullopt;
  if (const auto* failed = std::get_if<FailedEvent>(&*body)) end.verdict.error = failed->error;
  end.ending.event = event_of(*assignment, std::move(*body));
  return end;
}

void Reporter::record(std::vector<Closing>& ends) {
  while (!ends.empty()) {
    std::vector<ledger::Ending> endings;
    for (const Closing& end : ends) endings.push_back(end.ending);
    const auto outcomes = ledger_.finish_many(endings, settings_.policy);
    std::vector<Closing> left;
    bool away = false;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (!settle(ends[i], endings[i].event, outcomes[i], away)) left.push_back(std::move(ends[i]));
    }
    ends = std::move(left);
    if (!away) continue;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kRetryEvery, [this] { return closing_; })) return;
  }
}

bool Reporter::settle(Closing& end, const Event& logged, const Result<ledger::FinishOutcome>& outcome,
                      bool& away) {
  Assignment& assignment = *end.assignment;
  if (!outcome) {
    const bool unavailable = outcome.error().code == ErrorCode::unavailable;
    if (unavailable && assignment.stopped() != Stop::lost) {
      away = true;
      return false;
    }
    if (!unavailable && !end.ending.images.empty()) {
      // The image is what could not be stored: the job fails by it.
      end.ending.images.clear();
      end.verdict.error = outcome.error();
      end.ending.event = event_of(assignment, FailedEvent{outcome.error()});
      return false;
    }
    spdlog::error("job {}: its end could not be recorded: {}", logged.job.value, to_string(outcome.error()));
  } else {
    end.verdict.outcome = *outcome;
    end.verdict.completed =
        *outcome == ledger::FinishOutcome::ended && std::holds_alternative<CompletedEvent>(logged.body);
    if (*outcome != ledger::FinishOutcome::refused) publish(logged);
  }
  gone_(end.assignment, end.verdict);
  return true;
}

Verdict Reporter::give_back(Assignment& assignment) {
  if (assignment.stopped() == Stop::lost) return {};
  assignment.ending = true;
  Event event = event_of(
      assignment, RetriedEvent{Error{ErrorCode::unavailable, "the worker is going out of service"}, 0, 0});
  const auto outcome =
      insist(assignment, [&] { return ledger_.release(assignment.claimed.lease, event, settings_.policy); });
  if (!outcome) return {};
  if (*outcome != ledger::FinishOutcome::refused) publish(event);
  return {*outcome};
}

}  // namespace waggle::worker
