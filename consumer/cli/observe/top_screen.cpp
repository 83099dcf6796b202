// Layout: two lines of sums, then models, workers and ends, each with its share of the rows. Names are shown
// in ASCII: what takes two columns on one terminal and one on the next would break the table.
#include "consumer/cli/observe/top_screen.h"

#include <algorithm>
#include <cstdio>

#include "consumer/cli/observe/job_story.h"
#include "consumer/cli/progress_bar.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string plain(std::string_view text) { return printable(text, /*utf8=*/false); }

std::string decimal(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string age_since(std::int64_t at_ms, std::int64_t now_ms) {
  return age_text(static_cast<double>(now_ms - at_ms) / 1000);
}

/// The beginning of an id is its time: its end tells jobs of one minute apart.
std::string short_id(const JobId& job) {
  if (job.value.size() <= 12) return job.value;
  return std::string("..").append(job.value, job.value.size() - 10);
}

std::string sums(const StatsReply& stats, bool colour) {
  const auto count = [&](std::string_view name, std::int64_t value, JobState state) {
    const std::string text = std::string(name) + " " + std::to_string(value);
    return value == 0 ? text : state_text(state, text, colour);
  };
  return count("queued", stats.queued, JobState::queued) + "  " +
         count("running", stats.running, JobState::running) + "  " +
         count("completed", stats.completed, JobState::completed) + "  " +
         count("failed", stats.failed, JobState::failed) + "  " + count("dead", stats.dead, JobState::dead) +
         "  " + count("expired", stats.expired, JobState::expired) + "  " +
         count("cancelled", stats.cancelled, JobState::cancelled);
}

Rows model_rows(const PoolView& view) {
  Rows rows{{"MODEL", "QUEUED", "RUNNING", "OLDEST"}};
  for (const ModelDepth& depth : view.models) {
    rows.push_back({plain(depth.model), std::to_string(depth.queued) + (view.all_queued ? "" : "+"),
                    std::to_string(depth.running),
                    depth.oldest_at_ms ? age_since(*depth.oldest_at_ms, view.at_ms) : "-"});
  }
  return rows;
}

const JobStatus* running_job(const PoolView& view, const JobId& id) {
  const auto found = std::ranges::find(view.running, id, &JobStatus::id);
  return found == view.running.end() ? nullptr : &*found;
}

Rows worker_rows(const PoolView& view) {
  Rows rows{{"WORKER", "STATE", "DEVICE", "JOB", "STEP", "STEP/S", "MEMORY", "DONE", "MODELS"}};
  for (const WorkerInfo& worker : view.workers) {
    std::string models;
    for (const ModelInfo& model : worker.models)
      models.append(models.empty() ? "" : ",").append(plain(model.name)).append(model.loaded ? "*" : "");
    std::vector<std::string> row{plain(worker.id.value),
                                 std::string(name(worker.state)),
                                 plain(worker.device) + "/" + plain(worker.precision),
                                 "-",
                                 "-",
                                 worker.steps_per_s ? decimal("%.2f", *worker.steps_per_s) : "-",
                                 bytes_text(worker.memory_used_bytes),
                                 std::to_string(worker.jobs_done),
                                 models};
    bool first = true;
    for (const JobId& id : worker.jobs) {
      // A worker with several jobs takes a line for each.
      if (!first) row = {"", "", "", "", "", "", "", "", ""};
      row[3] = short_id(id);
      const JobStatus* job = running_job(view, id);
      row[4] = job == nullptr ? "-" : std::to_string(job->step) + "/" + std::to_string(job->total_steps);
      rows.push_back(row);
      first = false;
    }
    if (first) rows.push_back(row);
  }
  return rows;
}

Rows ended_rows(const PoolView& view, bool colour) {
  Rows rows{{"ENDED", "JOB", "STATE", "MODEL", "TOOK", "WORKER", "WHY"}};
  for (const JobStatus& job : view.ended) {
    const bool timed = job.started_at_ms && job.finished_at_ms;
    rows.push_back(
        {job.finished_at_ms ? age_since(*job.finished_at_ms, view.at_ms) : "-", short_id(job.id),
         state_text(job.state, colour), plain(job.model),
         timed ? decimal("%.1f s", static_cast<double>(*job.finished_at_ms - *job.started_at_ms) / 1000)
               : "-",
         job.worker ? plain(job.worker->value) : "-",
         job.error ? std::string(traits(job.error->code).name) : ""});
  }
  return rows;
}

/// A table of at most `most` lines with its heading; what does not fit is counted.
void add_table(std::vector<std::string>& lines, const Rows& rows, std::size_t most, const char* if_empty,
               bool colour) {
  if (most < 2) return;
  std::vector<std::string> all;
  const std::string text = table(rows);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    while (line.ends_with(' ')) line.pop_back();
    all.push_back(std::move(line));
    at = end + 1;
  }
  all.front() = paint(colour, Colour::bold, all.front());
  if (all.size() == 1) all.emplace_back(if_empty);
  if (all.size() > most) {
    const std::size_t hidden = all.size() - most + 1;
    all.resize(most - 1);
    all.push_back("... " + std::to_string(hidden) + " more");
  }
  std::ranges::move(all, std::back_inserter(lines));
}

}  // namespace

std::vector<std::string> top_screen(const PoolView& view, TerminalSize size, const ScreenStyle& style) {
  std::vector<std::string> lines;
  const std::string clock = time_text(view.at_ms).substr(0, 19);
  std::string rates;
  if (view.ended_per_min) rates = "  ended/min " + decimal("%.1f", *view.ended_per_min);
  lines.push_back(paint(style.colour, Colour::bold, "waggle top") + "  " + clock + "Z  queen up " +
                  age_text(view.stats.uptime_s) + "  workers " + std::to_string(view.stats.workers) + rates);
  lines.push_back(style.trouble.empty() ? sums(view.stats, style.colour)
                                        : paint(style.colour, Colour::red, plain(style.trouble)));
  const Rows models = model_rows(view), workers = worker_rows(view), ended = ended_rows(view, style.colour);

  // Models and ends may take a quarter each of what is left, workers the rest; what one does not need goes
  // on.
  const std::size_t endless = models.size() + workers.size() + ended.size() + 8;
  std::size_t left = size.rows > 0 ? static_cast<std::size_t>(size.rows) : endless + 8;
  left -= std::min<std::size_t>(left, lines.size() + (style.keys ? 1 : 0));
  const auto needs = [](const Rows& rows) {
    return std::max<std::size_t>(rows.size(), 2) + 1;
  };  // and a blank line
  const std::size_t for_models = std::min(needs(models), std::max<std::size_t>(left / 4, 4));
  const std::size_t for_ended_least = std::min(needs(ended), std::max<std::size_t>(left / 4, 4));
  const std::size_t taken = for_models + for_ended_least;
  const std::size_t for_workers = std::min(needs(workers), left > taken ? left - taken : 0);
  const std::size_t used = for_models + for_workers;
  const std::size_t for_ended = std::min(needs(ended), left > used ? left - used : 0);
  for (const auto& [rows, share, if_empty] :
       {std::tuple{&models, for_models, "no job waits or runs"},
        std::tuple{&workers, for_workers, "no worker is in the pool"},
        std::tuple{&ended, for_ended, "none of the newest jobs has ended"}}) {
    if (share < 3) continue;
    lines.emplace_back();
    add_table(lines, *rows, share - 1, if_empty, style.colour);
  }
  if (style.keys) {
    const auto rows = static_cast<std::size_t>(std::max(size.rows, 1));
    lines.resize(std::min(lines.size(), rows - 1));
    lines.resize(rows - 1);
    lines.push_back(
        paint(style.colour, Colour::dim, style.paused ? "q quit  p go on  (paused)" : "q quit  p pause"));
  }
  if (size.rows > 0 && lines.size() > static_cast<std::size_t>(size.rows))
    lines.resize(static_cast<std::size_t>(size.rows));
  for (std::string& line : lines) line = fitted(line, size.columns);
  return lines;
}

std::string fitted(std::string_view line, int columns) {
  std::string out;
  bool escape = false, coloured = false;
  for (const char c : line) {
    if (c == '\033') escape = coloured = true;
    const bool continues = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (!escape && !continues && columns-- <= 0) return coloured ? out + "\033[0m" : out;
    out += c;
    if (escape && c == 'm') escape = false;
  }
  return out;
}

}  // namespace waggle::cli
