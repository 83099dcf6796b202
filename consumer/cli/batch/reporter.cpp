// The three ways to report, and the text that they share.
#include "consumer/cli/batch/reporter.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "consumer/cli/progress_bar.h"
#include "schemas/codec/fields.h"
#include "schemas/codec/json_text.h"

namespace waggle::cli::batch {

namespace {

using Clock = Tally::Clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kRedraw = 100ms, kLogEvery = 10s, kJsonEvery = 1s;
constexpr std::size_t kMostWorkers = 12;  ///< lines of the block
constexpr int kBarCells = 24, kSmallBarCells = 12;

std::string rate_text(double jobs_per_s) {
  char text[48];
  if (jobs_per_s >= 1)
    std::snprintf(text, sizeof text, "%.1f jobs/s", jobs_per_s);
  else
    std::snprintf(text, sizeof text, "%.1f s/job", 1 / jobs_per_s);
  return text;
}

std::string bar(std::size_t part, std::size_t whole, int cells) {
  const auto filled = whole == 0 ? 0 : static_cast<std::size_t>(cells) * std::min(part, whole) / whole;
  return "[" + std::string(filled, '#') + std::string(static_cast<std::size_t>(cells) - filled, '.') + "]";
}

/// At most so many columns, counting characters, and never half of one.
std::string cut(std::string text, int width) {
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && ++columns > width) {
      text.resize(i);
      break;
    }
  }
  return text;
}

std::string failure_text(const std::string& source, const PlannedJob& job, const Error& error) {
  return to_string(Remark{job.line, "", printable(to_string(error))}, source);
}

std::string end_text(const Tally& tally, bool interrupted) {
  std::string text = std::to_string(tally.done()) + " of " + std::to_string(tally.jobs()) + " jobs done";
  if (tally.failed() > 0) text += ", " + std::to_string(tally.failed()) + " failed";
  if (interrupted) text += ", interrupted";
  return text;
}

class LiveReporter final : public Reporter {
 public:
  LiveReporter(const Terminal& terminal, ReporterOptions options)
      : terminal_(terminal), options_(std::move(options)) {}
  ~LiveReporter() override { clear(); }
  void picture(const PlannedJob&, const ImageRecord&) override {}
  void failed(const PlannedJob& job, const Error& error) override {
    clear();
    std::fprintf(stderr, "%s %s\n", paint(terminal_.colour_err, Colour::red, "failed").c_str(),
                 failure_text(options_.source, job, error).c_str());
  }
  void note(const std::string& text) override {
    clear();
    std::fprintf(stderr, "%s\n", printable(text).c_str());
  }
  void tick(const Tally& tally, Clock::time_point now) override {
    if (now < next_) return;
    next_ = now + kRedraw;
    clear();
    std::string block;
    const auto lines = live_lines(tally, std::max(terminal_.width - 1, 20), now);
    for (const std::string& line : lines) block += printable(line, terminal_.utf8) + "\n";
    std::fputs(block.c_str(), stderr);
    std::fflush(stderr);
    drawn_ = lines.size();
  }
  void end(const Tally& tally, bool interrupted) override {
    clear();
    const bool good = tally.failed() == 0 && !interrupted;
    std::fprintf(
        stderr, "%s\n",
        paint(terminal_.colour_err, good ? Colour::green : Colour::yellow, end_text(tally, interrupted))
            .c_str());
  }

 private:
  void clear() {
    if (drawn_ > 0) std::fprintf(stderr, "\033[%zuF\033[J", drawn_);
    drawn_ = 0;
  }
  const Terminal& terminal_;
  ReporterOptions options_;
  Clock::time_point next_{};
  std::size_t drawn_ = 0;
};

class LogReporter final : public Reporter {
 public:
  explicit LogReporter(ReporterOptions options) : options_(std::move(options)) {}
  void picture(const PlannedJob&, const ImageRecord& image) override {
    if (options_.quiet) return;
    std::printf("%s/%s\n", options_.folder.c_str(), image.file.c_str());
    std::fflush(stdout);
  }
  void failed(const PlannedJob& job, const Error& error) override {
    std::fprintf(stderr, "failed %s\n", failure_text(options_.source, job, error).c_str());
  }
  void note(const std::string& text) override { std::fprintf(stderr, "%s\n", printable(text).c_str()); }
  void tick(const Tally& tally, Clock::time_point now) override {
    if (options_.quiet || now < next_) return;
    if (next_ != Clock::time_point{}) std::fprintf(stderr, "%s\n", state_line(tally, now).c_str());
    next_ = now + kLogEvery;
  }
  void end(const Tally& tally, bool interrupted) override {
    if (options_.quiet && tally.failed() == 0 && !interrupted) return;
    std::fprintf(stderr, "%s\n", end_text(tally, interrupted).c_str());
  }

 private:
  ReporterOptions options_;
  Clock::time_point next_{};
};

codec::Document number(std::size_t value) { return {static_cast<std::int64_t>(value)}; }

class JsonReporter final : public Reporter {
 public:
  explicit JsonReporter(ReporterOptions options) : options_(std::move(options)) {}
  void picture(const PlannedJob& job, const ImageRecord& image) override {
    if (options_.quiet) return;
    print({{"event", {std::string("picture")}},
           {"index", number(job.index)},
           {"line", {std::int64_t{job.line}}},
           {"image", {std::int64_t{image.info.index}}},
           {"file", {options_.folder + "/" + image.file}},
           {"seed", {image.info.seed}}});
  }
  void failed(const PlannedJob& job, const Error& error) override {
    print({{"event", {std::string("failed")}},
           {"index", number(job.index)},
           {"line", {std::int64_t{job.line}}},
           {"error", codec::encode(error)}});
  }
  void note(const std::string& text) override {
    if (!options_.quiet) print({{"event", {std::string("note")}}, {"text", {text}}});
  }
  void tick(const Tally& tally, Clock::time_point now) override {
    if (options_.quiet || now < next_) return;
    next_ = now + kJsonEvery;
    codec::Object object = state("progress", tally);
    object.push_back({"in_hand", number(tally.in_hand().size())});
    if (const auto rate = tally.jobs_per_s(now)) object.push_back({"jobs_per_s", {*rate}});
    if (const auto eta = tally.eta_s(now)) object.push_back({"eta_s", {*eta}});
    if (!tally.waits_for().empty()) object.push_back({"waits_for", {tally.waits_for()}});
    print(std::move(object));
  }
  void end(const Tally& tally, bool interrupted) override {
    codec::Object object = state("end", tally);
    object.push_back({"interrupted", {interrupted}});
    print(std::move(object));
  }

 private:
  static codec::Object state(const char* event, const Tally& tally) {
    return {{"event", {std::string(event)}},
            {"jobs", number(tally.jobs())},
            {"done", number(tally.done())},
            {"failed", number(tally.failed())}};
  }
  static void print(codec::Object object) {
    std::printf("%s\n", codec::write_json({std::move(object)}).c_str());
    std::fflush(stdout);
  }
  ReporterOptions options_;
  Clock::time_point next_{};
};

}  // namespace

std::string state_line(const Tally& tally, Clock::time_point now) {
  std::string line =
      std::to_string(tally.done() + tally.failed()) + "/" + std::to_string(tally.jobs()) + " jobs";
  if (tally.failed() > 0) line += ", " + std::to_string(tally.failed()) + " failed";
  if (const auto rate = tally.jobs_per_s(now)) line += ", " + rate_text(*rate);
  if (const auto eta = tally.eta_s(now)) line += ", eta " + clock_text(*eta);
  if (!tally.waits_for().empty()) line += ", " + printable(tally.waits_for());
  return line;
}

std::vector<std::string> live_lines(const Tally& tally, int width, Clock::time_point now) {
  const std::size_t ended = tally.done() + tally.failed();
  char percent[24];
  std::snprintf(percent, sizeof percent, "%3zu%% ", tally.jobs() == 0 ? 100 : 100 * ended / tally.jobs());
  std::vector<std::string> lines;
  const std::string state = state_line(tally, now);
  const bool room = width >= static_cast<int>(state.size()) + kBarCells + 8;
  lines.push_back(cut(percent + (room ? bar(ended, tally.jobs(), kBarCells) + " " : "") + state, width));
  // One line a worker: its oldest job, and how many more it has.
  std::map<std::string, std::pair<const Tally::InHand*, std::size_t>> workers;
  for (const auto& [index, job] : tally.in_hand()) {
    if (job.worker.empty()) continue;
    auto& [first, count] = workers[job.worker];
    if (first == nullptr) first = &job;
    ++count;
  }
  for (const auto& [worker, work] : workers) {
    if (lines.size() > kMostWorkers) {
      lines.push_back(cut("  and " + std::to_string(workers.size() - kMostWorkers) + " more workers", width));
      break;
    }
    const auto& [job, count] = work;
    std::string line = "  " + printable(worker) + " " +
                       bar(static_cast<std::size_t>(std::max(job->step, 0)),
                           static_cast<std::size_t>(std::max(job->total, 0)), kSmallBarCells);
    if (count > 1) line += " x" + std::to_string(count);
    lines.push_back(cut(line + " " + printable(job->prompt), width));
  }
  return lines;
}

std::unique_ptr<Reporter> make_reporter(const Terminal& terminal, const ReporterOptions& options) {
  if (options.json) return std::make_unique<JsonReporter>(options);
  if (terminal.out_is_terminal && terminal.err_is_terminal && !options.quiet)
    return std::make_unique<LiveReporter>(terminal, options);
  return std::make_unique<LogReporter>(options);
}

}  // namespace waggle::cli::batch
