// Timing through pipeline/pipeline.h alone; a model of random weights is written first where none is given.
#include "tests/pipeline/bench/whole.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "pipeline/engine/device.h"
#include "pipeline/pipeline.h"
#include "tests/pipeline/bench/random_model.h"

namespace waggle::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// `body` in a child of its own; its result comes back through a pipe. The child's memory is fresh only as
/// long as this process has freed no heap: what it kept would be copied page by page when the child writes to
/// it.
template <class Body>
double in_fresh_process(const Body& body) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    const double seconds = body();
    const bool written = ::write(ends[1], &seconds, sizeof seconds) == sizeof seconds;
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  double seconds = -1;
  const bool whole = ::read(ends[0], &seconds, sizeof seconds) == sizeof seconds;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!whole || seconds < 0) throw std::runtime_error("a child process of the bench failed");
  return seconds;
}

/// The model of the options, or one of random weights in a folder that goes with this object.
class Model {
 public:
  explicit Model(const Options& options) : path_(options.model_path) {
    if (!path_.empty()) return;
    std::string pattern = (fs::temp_directory_path() / "waggle-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + pattern);
    temporary_ = pattern;
    path_ = temporary_ / options.model;
    in_fresh_process([&] {
      write_model(path_, kind_of(options.model), fs::path(WAGGLE_BENCH_TOKENIZER));
      return 0.0;
    });
  }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
  }

  [[nodiscard]] const fs::path& path() const { return path_; }

  [[nodiscard]] std::vector<fs::path> weight_files() const {
    if (fs::is_regular_file(path_)) return {path_};
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(path_))
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    return files;
  }

 private:
  fs::path path_, temporary_;
};

/// The bytes of the files into fresh memory, which is the least that any loader does.
double copy_into_memory(const std::vector<fs::path>& files) {
  const auto begin = Clock::now();
  std::vector<std::unique_ptr<char[]>> kept;
  for (const fs::path& file : files) {
    const auto size = fs::file_size(file);
    kept.emplace_back(new char[size]);
    std::ifstream(file, std::ios::binary).read(kept.back().get(), static_cast<std::streamsize>(size));
  }
  return since(begin);
}

/// Reads every byte into one small buffer, as `cat` would. Returns how many there were.
std::int64_t read_all(const std::vector<fs::path>& files) {
  std::vector<char> buffer(1 << 20);
  std::int64_t total = 0;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    in.rdbuf()->pubsetbuf(nullptr, 0);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
      total += in.gcount();
  }
  return total;
}

void drop_pages(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ::fdatasync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

pipeline::Options engine_options(const Options& o) {
  pipeline::Options options;
  options.precision = pipeline::precision_from_name(o.precision).value();
  options.threads = o.threads;
  options.version = "bench";
  options.weight_cache = o.weight_cache;
  return options;
}

json spread(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return {{"median", seconds[seconds.size() / 2]}, {"min", seconds.front()}, {"max", seconds.back()}};
}

/// A job under way: when it moved first, and how it ended.
class Job {
 public:
  Job(pipeline::Pipeline& engine, const Options& o, std::int64_t seed,
      std::string prompt = "a bee on a flower", std::function<void(int step)> on_step = {})
      : state_(std::make_shared<State>()) {
    pipeline::RenderJob job;
    job.model = "model";
    job.request.model = "model";
    job.request.prompt = std::move(prompt);
    job.request.steps = o.steps;
    job.request.seed = seed;
    job.request.operation = ImageGeneration{o.width, o.height};
    job.callbacks.progress = [state = state_, on_step = std::move(on_step)](int step, int) {
      if (step == 1) state->first_s = since(state->begin);
      if (on_step) on_step(step);
    };
    job.callbacks.end = [state = state_](Result<pipeline::RenderSummary> end) {
      state->end_s = since(state->begin);
      state->ended.set_value(std::move(end));
    };
    engine.render(std::move(job));
  }

  pipeline::RenderSummary wait() {
    auto end = state_->ended.get_future().get();
    if (!end) throw std::runtime_error(to_string(end.error()));
    return *end;
  }
  [[nodiscard]] double first_s() const { return state_->first_s; }
  [[nodiscard]] double end_s() const { return state_->end_s; }

 private:
  struct State {
    Clock::time_point begin = Clock::now();
    double first_s = 0, end_s = 0;
    std::promise<Result<pipeline::RenderSummary>> ended;
  };
  std::shared_ptr<State> state_;
};

/// A line "Name:  1234 kB" of /proc/self/status, in bytes.
std::int64_t status_bytes(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::atoll(line.c_str() + name.size() + 1) * 1024;
  return 0;
}

/// Below 0: it failed.
double load_once(const Options& o, const Model& model) {
  pipeline::Pipeline engine(engine_options(o));
  const auto start = Clock::now();
  return engine.load(model.path(), "model") ? since(start) : -1.0;
}

/// Back to a model that is kept, after another one of the same size was loaded; below 0: it failed, or two do
/// not fit.
double switch_back(const Options& o, const Model& model) {
  pipeline::Pipeline engine(engine_options(o));
  if (!engine.load(model.path(), "model") || !engine.load(model.path(), "other")) return -1.0;
  if (engine.model_bytes("model") == 0) return -1.0;
  const auto start = Clock::now();
  return engine.load(model.path(), "model") ? since(start) : -1.0;
}

}  // namespace

json measure_load(const Options& o) {
  const Model model(o);
  const auto files = model.weight_files();
  const std::int64_t bytes = read_all(files);
  std::vector<double> reading, copying, loading;
  std::vector<fs::path> kept;
  if (!o.weight_cache.empty()) {
    in_fresh_process([&] { return load_once(o, model); });
    for (const auto& entry : fs::directory_iterator(o.weight_cache)) kept.push_back(entry.path());
  }
  for (int i = 0; i < o.runs; ++i) {
    if (o.cold) drop_pages(files);
    const auto begin = Clock::now();
    read_all(files);
    reading.push_back(since(begin));
    if (o.cold) drop_pages(files);
    copying.push_back(in_fresh_process([&] { return copy_into_memory(files); }));
    if (o.cold) drop_pages(files), drop_pages(kept);
    loading.push_back(in_fresh_process([&] { return load_once(o, model); }));
  }
  json out{{"threads", pipeline::thread_count(o.threads)},
           {"bytes", bytes},
           {"page_cache", o.cold ? "dropped" : "warm"}};
  out["read_s"] = spread(reading);
  out["copy_s"] = spread(copying);
  out["load_s"] = spread(loading);
  out["switch_back_s"] = in_fresh_process([&] { return switch_back(o, model); });
  out["times_read"] = out["load_s"]["median"].get<double>() / out["read_s"]["median"].get<double>();
  out["times_copy"] = out["load_s"]["median"].get<double>() / out["copy_s"]["median"].get<double>();
  return out;
}

json measure_renders(const Options& o) {
  const Model model(o);
  pipeline::Pipeline engine(engine_options(o));
  if (const auto loaded = engine.load(model.path(), "model"); !loaded)
    throw std::runtime_error(to_string(loaded.error()));
  Options warm = o;
  warm.steps = 2;
  {
    Job first(engine, warm, 1), second(engine, warm, 2),
        third(engine, warm, 3);  // every batch that will occur
    first.wait(), second.wait(), third.wait();
  }
  std::ofstream("/proc/self/clear_refs") << "5\n";  // the peak is counted anew
  const std::int64_t at_rest = status_bytes("VmRSS");

  std::vector<double> total, shares;
  pipeline::RenderSummary summary;
  double unet_s = 0;
  for (int i = 0; i < o.runs; ++i) {
    const double unet_before = engine.stats().unet_s;
    // Another prompt each time, so that its encoding is not remembered.
    Job job(engine, o, 7, "a bee on flower number " + std::to_string(i));
    summary = job.wait();
    unet_s = engine.stats().unet_s - unet_before;
    total.push_back(job.end_s());
    shares.push_back((unet_s + summary.decode_s) / job.end_s());
  }
  std::ranges::sort(shares);
  const double alone = engine.stats().step_median_s;
  const std::int64_t peak = status_bytes("VmHWM");

  Job one(engine, o, 7), two(engine, o, 8);
  one.wait(), two.wait();
  const double together = std::max(one.end_s(), two.end_s());

  std::unique_ptr<Job> late;
  std::promise<void> came;
  Job running(engine, o, 7, "a bee at work", [&](int step) {
    if (step != o.steps / 2) return;
    late = std::make_unique<Job>(engine, o, 9);
    came.set_value();
  });
  came.get_future().wait();
  running.wait(), late->wait();

  json out;
  out["seconds"] = spread(total);
  out["steps"] = o.steps;
  out["step_s"] = alone;
  out["encode_s"] = summary.encode_s;
  out["denoise_s"] = summary.denoise_s;
  out["decode_s"] = summary.decode_s;
  out["unet_s"] = unet_s;
  out["share_in_unet_and_vae"] = {
      {"median", shares[shares.size() / 2]}, {"min", shares.front()}, {"max", shares.back()}};
  out["two_jobs"] = {{"seconds", together}, {"ratio", together / spread(total)["median"].get<double>()}};
  out["late_job"] = {{"first_step_after_s", late->first_s()},
                     {"in_steps_of_one_job", late->first_s() / alone}};
  out["threads"] = engine.threads();
  out["resident_at_rest_bytes"] = at_rest;
  out["model_bytes"] = engine.model_bytes("model");
  out["peak_bytes"] = peak;
  out["above_model_bytes"] = peak - engine.model_bytes("model");
  return out;
}

}  // namespace waggle::bench
