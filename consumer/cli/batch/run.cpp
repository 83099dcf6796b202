// What each happening means for files, manifest and window.
#include "consumer/cli/batch/run.h"

#include <algorithm>
#include <deque>
#include <map>
#include <system_error>
#include <utility>
#include <variant>

#include "consumer/cli/inspect/content_id.h"
#include "consumer/cli/output_file.h"
#include "pipeline/image/picture.h"

namespace waggle::cli::batch {

namespace {

namespace fs = std::filesystem;
using Clock = Tally::Clock;
using namespace std::chrono_literals;

constexpr auto kTick = 100ms;
constexpr int kMostLosses = 5;  ///< of one job in one session; then it has failed

/// The picture's own account of its job, every default filled in.
std::string resolved_in(const std::string& picture) {
  const auto text = pipeline::read_text(picture);
  if (!text) return {};
  for (const auto& [key, value] : *text) {
    if (key == "waggle") return value;
  }
  return {};
}

class Run {
 public:
  Run(Manifest& manifest, Backend& backend, Reporter& reporter, const RunOptions& options)
      : manifest_(manifest), backend_(backend), reporter_(reporter), options_(options), tally_(0, 0, 0) {
    std::size_t done = 0, failed = 0;
    for (std::size_t index = 0; index < jobs().size(); ++index) {
      const JobRecord& record = manifest_.records()[index];
      if (record.outcome == JobOutcome::completed && all_files(index)) {
        ++done;
      } else if (record.outcome == JobOutcome::failed && !options_.retry_failed) {
        ++failed;
      } else {
        // Anything but an open job has an end in the queue's memory, which its key would bring back.
        if (record.outcome == JobOutcome::failed) manifest_.add_generation(index);
        pending_.push_back(index);
      }
    }
    tally_ = Tally(jobs().size(), done, failed);
  }

  Result<RunResult> run(const std::function<int()>& stops) {
    Clock::time_point give_up{};
    while (!pending_.empty() || in_hand_ > 0) {
      const int signals = stops();
      if (signals > 1 || (stopping_ && Clock::now() > give_up)) break;
      if (signals > 0 && !stopping_) {
        stopping_ = true;
        give_up = Clock::now() + options_.stop_patience;
        pending_.clear();
        backend_.stop();
      }
      if (auto filled = fill(); !filled) return filled.error();
      if (in_hand_ == 0) continue;  // every submission failed by itself, or all is stopped
      auto happenings = backend_.wait(kTick);
      if (!happenings) return happenings.error();
      for (Happening& happening : *happenings) {
        auto taken = std::visit([this](auto& what) { return take(what); }, happening);
        if (!taken) return taken.error();
      }
      if (auto synced = manifest_.sync(); !synced) return synced.error();
      reporter_.tick(tally_, Clock::now());
    }
    if (auto synced = manifest_.sync(); !synced) return synced.error();
    reporter_.end(tally_, stopping_);
    return RunResult{tally_.done(), tally_.failed(), stopping_};
  }

 private:
  [[nodiscard]] const std::vector<PlannedJob>& jobs() const { return manifest_.jobs(); }

  [[nodiscard]] bool is_written(std::size_t index, std::size_t image) const {
    std::error_code error;
    return manifest_.records()[index].images[image] &&
           fs::is_regular_file(options_.folder / jobs()[index].files[image], error);
  }
  [[nodiscard]] bool all_files(std::size_t index) const {
    for (std::size_t image = 0; image < jobs()[index].files.size(); ++image) {
      if (!is_written(index, image)) return false;
    }
    return true;
  }

  Status fill() {
    for (; !pending_.empty() && in_hand_ < options_.window; pending_.pop_front()) {
      const std::size_t index = pending_.front();
      const PlannedJob& job = jobs()[index];
      ++in_hand_;
      tally_.submitted(index, job.request.prompt);
      auto request = with_pictures(job.request, job.pictures);
      if (!request) {
        Failed failed{index, "", request.error()};
        if (auto taken = take(failed); !taken) return taken.error();
        continue;
      }
      const int generation = manifest_.records()[index].generation;
      // A key of the user's own means his own job, until that job has come to nothing.
      if (!request->idempotency_key || generation > 0)
        request->idempotency_key = idempotency_key(manifest_.header(), index, generation);
      Task task{index, std::move(*request), {}};
      for (std::size_t image = 0; image < job.files.size(); ++image) {
        if (is_written(index, image)) task.written.push_back(static_cast<int>(image));
      }
      backend_.submit(std::move(task));
    }
    // A key must be on the disk before the queue may know it.
    return manifest_.sync();
  }

  Status take(const Started& started) {
    tally_.started(started.index, started.worker);
    return Done{};
  }
  Status take(const Progressed& progressed) {
    tally_.progressed(progressed.index, progressed.step, progressed.total);
    return Done{};
  }

  Status take(Picture& picture) {
    const PlannedJob& job = jobs()[picture.index];
    const auto image = static_cast<std::size_t>(picture.info.index);
    if (image >= job.files.size()) return Done{};
    const fs::path file = options_.folder / job.files[image];
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return Error{ErrorCode::io_error, file.parent_path().string() + ": " + error.message()};
    // In the run's name, not the process's: what a killed one left half written, its resumption takes over.
    if (auto written = write_atomically(file, picture.bytes, manifest_.header().run); !written)
      return written.error();
    resolved_[picture.index] = resolved_in(picture.bytes);
    const ImageRecord record{picture.index, picture.info, job.files[image], content_id(picture.bytes).value};
    manifest_.add_image(record);
    tally_.picture();
    reporter_.picture(job, record);
    return Done{};
  }

  Status take(const Completed& completed) {
    if (!all_files(completed.index)) return take(Lost{completed.index});
    manifest_.add_completed(completed.index, completed.worker, completed.render_s,
                            resolved_[completed.index]);
    resolved_.erase(completed.index);
    --in_hand_;
    tally_.completed(completed.index, Clock::now());
    return Done{};
  }

  Status take(const Failed& failed) {
    manifest_.add_failed(failed.index, failed.worker, failed.error);
    --in_hand_;
    tally_.failed(failed.index, Clock::now());
    reporter_.failed(jobs()[failed.index], failed.error);
    return Done{};
  }

  Status take(const Lost& lost) {
    if (++losses_[lost.index] > kMostLosses)
      return take(Failed{lost.index, "", {ErrorCode::internal, "the queue loses the job again and again"}});
    manifest_.add_generation(lost.index);
    --in_hand_;
    tally_.dropped(lost.index);
    if (!stopping_) pending_.push_front(lost.index);
    return Done{};
  }

  Status take(const Cancelled& cancelled) {
    manifest_.add_generation(cancelled.index);
    --in_hand_;
    tally_.dropped(cancelled.index);
    return Done{};
  }

  Status take(Waiting& waiting) {
    tally_.waits_for(std::move(waiting.why));
    return Done{};
  }

  Manifest& manifest_;
  Backend& backend_;
  Reporter& reporter_;
  const RunOptions& options_;
  Tally tally_;
  std::deque<std::size_t> pending_;
  std::size_t in_hand_ = 0;
  bool stopping_ = false;
  std::map<std::size_t, std::string> resolved_;
  std::map<std::size_t, int> losses_;
};

}  // namespace

std::string idempotency_key(const RunHeader& header, std::size_t index, int generation) {
  std::string key = header.run + "-" + std::to_string(index);
  if (generation > 0) key += "-" + std::to_string(generation);
  return key;
}

Result<RunResult> run(Manifest& manifest, Backend& backend, Reporter& reporter,
                      const std::function<int()>& stops, const RunOptions& options) {
  return Run(manifest, backend, reporter, options).run(stops);
}

}  // namespace waggle::cli::batch
