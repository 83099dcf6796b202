// The parts of the pool.
#include "tests/bench/pool.h"

#include <utility>

namespace waggle::bench {
namespace {

queen::Options queen_options(const ledger::Options& redis) {
  queen::Options options;
  options.listen = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
  options.redis = redis;
  return options;
}

worker::Settings worker_settings(const ledger::Options& redis, const bus::Endpoints& queen) {
  worker::Settings settings;
  settings.id = WorkerId("bench");
  settings.version = "bench";
  settings.queens = {queen};
  settings.redis = redis;
  return settings;
}

}  // namespace

JobRequest numbered_job(int number) {
  JobRequest request;
  request.model = "null";
  request.prompt = std::to_string(number);
  request.steps = 3;
  request.seed = number;
  return request;
}

ClockRenderer::ClockRenderer(Stopwatch& stopwatch, Work work)
    : stopwatch_(stopwatch), work_(work), thread_([this] { run(); }) {}

ClockRenderer::~ClockRenderer() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

worker::Description ClockRenderer::describe() const {
  return {"cpu", "a clock", "fp32", {{"null", "null", {}, true, 0}}, {}, {}};
}
Status ClockRenderer::load(const std::string&) { return Done{}; }
void ClockRenderer::unload(const std::string&) {}
void ClockRenderer::cancel(pipeline::Ticket) {}
pipeline::EngineStats ClockRenderer::stats() const { return {}; }

pipeline::Ticket ClockRenderer::render(pipeline::RenderJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
  return 1;
}

void ClockRenderer::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    if (closing_) return;
    const pipeline::RenderJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    work_on(job);
  }
}

void ClockRenderer::work_on(const pipeline::RenderJob& job) {
  const auto number = static_cast<std::size_t>(std::stoi(job.request.prompt));
  stopwatch_.began.at(number) = Clock::now();
  ++stopwatch_.begun;
  for (int step = 1; step <= work_.progress; ++step) job.callbacks.progress(step, work_.progress);
  if (work_.lasts.count() > 0) std::this_thread::sleep_for(work_.lasts);
  if (work_.image_bytes > 0) {
    const ImageInfo info{0,
                         job.request.seed.value_or(0),
                         OutputFormat::png,
                         1,
                         1,
                         static_cast<std::int64_t>(work_.image_bytes)};
    job.callbacks.image({info, std::string(work_.image_bytes, 'x')});
  }
  stopwatch_.ended.at(number) = Clock::now();
  ++stopwatch_.done;
  job.callbacks.end(pipeline::RenderSummary{job.request});
}

RunningQueen::RunningQueen(const ledger::Options& redis)
    : queen_(queen_options(redis)), thread_([this] { queen_.run([this] { return stopping_.load(); }); }) {}

RunningQueen::~RunningQueen() {
  stopping_ = true;
  thread_.join();
}

RunningWorker::RunningWorker(const ledger::Options& redis, const bus::Endpoints& queen, Stopwatch& stopwatch,
                             Work work)
    : worker_(worker_settings(redis, queen), std::make_unique<ClockRenderer>(stopwatch, work), [] {}),
      thread_([this] { worker_.run(stop_); }) {}

RunningWorker::~RunningWorker() {
  // Twice: nobody waits for what is in hand.
  stop_.request();
  stop_.request();
  thread_.join();
}

}  // namespace waggle::bench
