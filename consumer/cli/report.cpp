// The wording of states, events and tables.
#include "consumer/cli/report.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace waggle::cli {

namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::string number_text(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string count_text(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

/// Columns that a text takes: continuation bytes of UTF-8 take none.
std::size_t columns(std::string_view text) {
  bool escape = false;
  std::size_t width = 0;
  for (const char c : text) {
    if (c == '\033') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xc0) != 0x80) ++width;
    if (escape && c == 'm') escape = false;
  }
  return width;
}

Colour colour_of(JobState state) {
  switch (state) {
    case JobState::queued:
      return Colour::yellow;
    case JobState::running:
      return Colour::cyan;
    case JobState::completed:
      return Colour::green;
    case JobState::failed:
    case JobState::dead:
    case JobState::expired:
      return Colour::red;
    case JobState::cancelled:
      return Colour::dim;
  }
  return Colour::dim;
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - columns(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string age_text(double seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 120) return number_text("%.0f s", seconds);
  if (seconds < 2 * 3600) return number_text("%.0f min", seconds / 60);
  if (seconds < 48 * 3600) return number_text("%.0f h", seconds / 3600);
  return number_text("%.0f d", seconds / 86400);
}

std::string bytes_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 1e3) return number_text("%.0f B", value);
  if (value < 1e6) return number_text("%.1f kB", value / 1e3);
  if (value < 1e9) return number_text("%.1f MB", value / 1e6);
  return number_text("%.1f GB", value / 1e9);
}

std::string state_text(JobState state, bool colour) { return state_text(state, name(state), colour); }

std::string state_text(JobState state, std::string_view text, bool colour) {
  return paint(colour, colour_of(state), text);
}

std::string progress_text(const JobStatus& status) {
  switch (status.state) {
    case JobState::queued:
      return status.position ? std::to_string(*status.position) + " ahead" : std::string();
    case JobState::running:
      return std::to_string(status.step) + "/" + std::to_string(status.total_steps) +
             (status.cancel_requested ? ", stopping" : "");
    case JobState::completed:
      return count_text(status.images.size(), "image");
    case JobState::failed:
    case JobState::cancelled:
    case JobState::expired:
    case JobState::dead:
      return status.error ? std::string(traits(status.error->code).name) : std::string();
  }
  return {};
}

std::string status_text(const JobStatus& status, std::int64_t now_ms, bool colour) {
  std::vector<std::vector<std::string>> rows;
  const auto seconds_since = [now_ms](std::int64_t at_ms) {
    return static_cast<double>(now_ms - at_ms) / 1000;
  };
  rows.push_back({"job", status.id.value});
  const std::string progress = progress_text(status);
  rows.push_back(
      {"state", state_text(status.state, colour) + (progress.empty() ? "" : " (" + progress + ")")});
  rows.push_back({"model", printable(status.model)});
  rows.push_back({"submitted", age_text(seconds_since(status.submitted_at_ms)) + " ago"});
  if (status.worker) rows.push_back({"worker", status.worker->value});
  if (status.attempt > 0) {
    rows.push_back(
        {"attempt", std::to_string(status.attempt) + " of " + std::to_string(status.max_attempts)});
  }
  if (status.started_at_ms && status.finished_at_ms) {
    const auto took_ms = static_cast<double>(*status.finished_at_ms - *status.started_at_ms);
    rows.push_back({"took", number_text("%.1f s", took_ms / 1000)});
  }
  if (status.eta_s) rows.push_back({"ready in", "about " + age_text(*status.eta_s)});
  if (status.seed) rows.push_back({"seed", std::to_string(*status.seed)});
  for (const ImageInfo& image : status.images) {
    rows.push_back({"image " + std::to_string(image.index + 1),
                    std::to_string(image.width) + "x" + std::to_string(image.height) + " " +
                        std::string(name(image.format)) + ", " + bytes_text(image.bytes) + ", seed " +
                        std::to_string(image.seed)});
  }
  if (status.error) rows.push_back({"error", printable(to_string(*status.error))});
  for (const AttemptError& attempt : status.attempts) {
    rows.push_back({"attempt " + std::to_string(attempt.attempt),
                    attempt.worker.value + ": " + printable(to_string(attempt.error))});
  }
  return table(rows);
}

std::string event_text(const EventBody& event, bool colour) {
  const auto failed = [colour](const char* word, const Error& error) {
    return paint(colour, Colour::red, word) + ": " + printable(to_string(error));
  };
  return std::visit(
      Overloaded{
          [](const QueuedEvent& queued) {
            return "queued, " + count_text(static_cast<std::size_t>(queued.position), "job") + " ahead";
          },
          [](const StartedEvent& started) { return "started on " + printable(started.worker.value); },
          [](const ProgressEvent& progress) {
            return "step " + std::to_string(progress.step) + "/" + std::to_string(progress.total);
          },
          [](const PreviewEvent& preview) {
            return "preview at step " + std::to_string(preview.step) + "/" + std::to_string(preview.total);
          },
          [colour](const CompletedEvent& done) {
            return paint(colour, Colour::green, "completed") + ": " +
                   count_text(done.images.size(), "image") + ", seed " + std::to_string(done.seed) + ", " +
                   number_text("%.1f s", done.render_s);
          },
          [&](const FailedEvent& end) { return failed("failed", end.error); },
          [colour](const CancelledEvent&) { return paint(colour, Colour::yellow, "cancelled"); },
          [](const RetriedEvent& retried) {
            return "queued again, " + count_text(static_cast<std::size_t>(retried.attempts_left), "attempt") +
                   " left: " + printable(to_string(retried.error));
          },
          [colour](const ExpiredEvent&) {
            return paint(colour, Colour::red, "expired") + ": its deadline passed";
          },
          [&](const DeadEvent& end) { return failed("dead", end.error); },
      },
      event);
}

}  // namespace waggle::cli
