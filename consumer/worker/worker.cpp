// The claim loop, and the order in which a worker goes.
#include "consumer/worker/worker.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include <poll.h>
#include <spdlog/spdlog.h>

#include "consumer/bus/topics.h"
#include "consumer/program/queens.h"
#include "schemas/codec/msgpack.h"

namespace waggle::worker {

using namespace std::chrono_literals;

namespace {

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr auto kLastWords = 1200ms;  // for handing jobs back once nobody waits for them any longer

std::string drawn_instance() {
  std::random_device random;
  char text[9];
  std::snprintf(text, sizeof text, "%08x", random());
  return text;
}

Settings completed(Settings settings) {
  if (settings.instance.empty()) settings.instance = drawn_instance();
  settings.redis.connection_name = settings.id.value + "#" + settings.instance;
  return settings;
}

}  // namespace

Worker::Worker(Settings settings, std::unique_ptr<Renderer> renderer, std::function<void()> wedged)
    : settings_(completed(std::move(settings))),
      renderer_(std::move(renderer)),
      started_at_ms_(wall_clock_ms()),
      context_(settings_.security),
      claims_(settings_),
      subscriber_(context_, program::each(settings_.queens, &bus::Endpoints::publish)),
      breaker_(settings_.breaker_limit) {
  for (const ModelInfo& model : renderer_->describe().models) {
    model_names_.push_back(model.name);
    model_names_.insert(model_names_.end(), model.aliases.begin(), model.aliases.end());
  }
  for (const std::string& model : model_names_) subscriber_.subscribe(bus::jobs_topic(model));
  subscriber_.subscribe(bus::jobs_topic(settings_.id));
  subscriber_.subscribe(bus::control_topic(settings_.id));
  subscriber_.subscribe(bus::control_topic_all());
  reporter_ = std::make_unique<Reporter>(
      settings_, context_,
      [this](const AssignmentPtr& assignment, const Verdict& verdict) { gone(assignment, verdict); });
  starter_ = std::make_unique<Starter>(settings_, *renderer_, in_hand_, *reporter_, [this] {
    // The next job is rendered while this one is being recorded. Where there was none, nothing is gained.
    if (more_waits_) wake_.ring();
  });
  keeper_ = std::make_unique<Keeper>(
      settings_, context_, *renderer_, in_hand_,
      Keeper::Hooks{[this] { return info(); }, [this] { return starter_->signs(); }, std::move(wedged)});
}

Worker::~Worker() {
  // Who calls goes before who is called: the keeper and the starter call the renderer, the renderer calls
  // back into the starter and the reporter until it is gone.
  keeper_->leave();
  starter_->close();
  for (const auto& assignment : in_hand_.all()) assignment->stop(Stop::released, *renderer_);
  renderer_.reset();
  reporter_.reset();
}

WorkerInfo Worker::info() const {
  Description description = renderer_->describe();
  const pipeline::EngineStats stats = renderer_->stats();
  WorkerInfo info;
  info.id = settings_.id;
  info.version = settings_.version;
  info.device = std::move(description.device);
  info.device_name = std::move(description.device_name);
  info.precision = std::move(description.precision);
  info.models = std::move(description.models);
  info.samplers = std::move(description.samplers);
  info.schedules = std::move(description.schedules);
  info.adapters = std::move(description.adapters);
  for (const auto& assignment : in_hand_.all()) info.jobs.push_back(assignment->claimed.lease.job);
  info.state = broken_             ? WorkerState::broken
               : draining_         ? WorkerState::draining
               : info.jobs.empty() ? WorkerState::idle
                                   : WorkerState::busy;
  info.capacity = settings_.capacity;
  if (stats.step_median_s > 0) info.steps_per_s = 1 / stats.step_median_s;
  info.memory_used_bytes = stats.memory_used_bytes;
  info.memory_total_bytes = stats.memory_total_bytes;
  info.jobs_done = jobs_done_;
  info.jobs_failed = jobs_failed_;
  info.started_at_ms = started_at_ms_;
  info.malformed_messages = static_cast<std::int64_t>(malformed_.load());
  info.seen_at_ms = wall_clock_ms();
  return info;
}

void Worker::run(const program::StopSignal& stop) {
  serve(stop);
  drain(stop);
  keeper_->leave();
  spdlog::info("left the pool: {} jobs done, {} failed", jobs_done_.load(), jobs_failed_.load());
}

void Worker::serve(const program::StopSignal& stop) {
  Clock::time_point next_look{};
  while (stop.count() == 0 && !draining_) {
    const bool announced = read_messages();
    const bool rung = wake_.take();
    begin(claims_.granted());
    if (announced || rung || claims_.deaf() || Clock::now() >= next_look) {
      claim();
      next_look = Clock::now() + settings_.idle_poll;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_look - Clock::now());
    wait(stop.descriptor(), std::max(left, 1ms));
  }
}

void Worker::wait(int stop_descriptor, std::chrono::milliseconds timeout) {
  pollfd descriptors[] = {{subscriber_.descriptor(), POLLIN, 0},
                          {wake_.descriptor(), POLLIN, 0},
                          {claims_.descriptor(), POLLIN, 0},
                          {stop_descriptor, POLLIN, 0}};
  // A descriptor below zero is one that poll() leaves out.
  poll(descriptors, 4, static_cast<int>(timeout.count()));
}

bool Worker::read_messages() {
  bool announced = false;
  while (const auto message = subscriber_.receive(0ms)) {
    const auto topic = bus::parse_topic(message->topic);
    if (!topic) continue;
    // What is announced needs no reading: the claim looks at the record, which knows better.
    announced =
        announced || topic->kind == bus::TopicKind::jobs || topic->kind == bus::TopicKind::worker_jobs;
    if (topic->kind == bus::TopicKind::control) obey(message->payload);
  }
  malformed_ = subscriber_.malformed();
  return announced;
}

void Worker::obey(std::string_view payload) {
  const auto control = codec::from_msgpack<Control>(payload);
  if (!control) {
    spdlog::warn("a control message that cannot be read: {}", to_string(control.error()));
    return;
  }
  if (const auto* cancel = std::get_if<ControlCancel>(&*control)) {
    in_hand_.stop(cancel->job, Stop::cancelled, *renderer_);
  } else if (std::holds_alternative<ControlDrain>(*control)) {
    draining_ = true;
  } else if (const auto* load = std::get_if<ControlLoadModel>(&*control)) {
    starter_->load(load->model);
  } else if (const auto* unload = std::get_if<ControlUnloadModel>(&*control)) {
    starter_->unload(unload->model);
  }
}

void Worker::claim() {
  while (!broken_ && !draining_) {
    auto rendering = in_hand_.all();
    const auto all_in_hand = static_cast<int>(rendering.size());
    std::erase_if(rendering, [](const AssignmentPtr& assignment) { return assignment->rendered.load(); });
    ledger::ClaimQuery query;
    query.models = model_names_;
    // Jobs that are only to be recorded take no room, unless very many of them wait for Redis.
    query.room = std::min(settings_.capacity - static_cast<int>(rendering.size()),
                          2 * settings_.capacity - all_in_hand);
    if (query.room <= 0) return;
    if (rendering.empty()) {
      joined_ = 0;
    } else {
      // Only jobs of the same kind may join the batch that runs, and not for ever: others wait too.
      const auto alone = [](const AssignmentPtr& assignment) { return assignment->claimed.run_alone; };
      if (joined_ >= settings_.max_joins || std::ranges::any_of(rendering, alone)) return;
      query.batch_key = rendering.front()->claimed.batch_key;
    }
    auto claimed = claims_.claim(query, rendering.empty());
    // All that there was to take?
    more_waits_ = std::ssize(claimed) >= query.room;
    begin(std::move(claimed), !rendering.empty());
    if (!more_waits_) return;
  }
  if (broken_) begin(claims_.withdraw());
}

void Worker::begin(std::vector<ledger::ClaimedJob> jobs, bool joining) {
  for (ledger::ClaimedJob& job : jobs) {
    if (joining) ++joined_;
    const auto assignment = std::make_shared<Assignment>(std::move(job));
    in_hand_.add(assignment);
    // First the work, then the word of it: but for a job that ends at once, whose end must not come first.
    reporter_->started(assignment);
    starter_->start(assignment);
    const ledger::Lease& lease = assignment->claimed.lease;
    spdlog::info("job {}: claimed, attempt {}", lease.job.value, lease.attempt);
  }
}

void Worker::gone(const AssignmentPtr& assignment, const Verdict& verdict) {
  in_hand_.remove(assignment);
  const std::string& job = assignment->claimed.lease.job.value;
  if (verdict.error) {
    ++jobs_failed_;
    spdlog::warn("job {}: {}", job, to_string(*verdict.error));
    if (breaker_.failed(verdict.error->code)) {
      broken_ = true;
      spdlog::critical("out of service: {} failures of this worker's own in a row", settings_.breaker_limit);
      keeper_->beat_now();
    }
  } else if (verdict.completed) {
    ++jobs_done_;
    breaker_.succeeded();
    spdlog::info("job {}: completed", job);
  } else {
    spdlog::info("job {}: {}", job, verdict.outcome ? "out of hands" : "dropped");
  }
  wake_.ring();
}

void Worker::drain(const program::StopSignal& stop) {
  draining_ = true;
  keeper_->beat_now();
  begin(claims_.withdraw());
  spdlog::info("draining: {} jobs in hand", in_hand_.size());
  const auto wait_for_hands = [&](std::chrono::milliseconds limit, auto&& until) {
    const auto deadline = Clock::now() + limit;
    while (in_hand_.size() > 0 && !until() && Clock::now() < deadline) {
      read_messages();  // a cancel counts to the last
      wake_.take();
      if (in_hand_.size() == 0) return;
      wait(-1, 50ms);
    }
  };
  wait_for_hands(settings_.drain_timeout, [&] { return stop.count() >= 2; });
  for (const auto& assignment : in_hand_.all()) {
    assignment->stop(Stop::released, *renderer_);
    reporter_->release(assignment);
  }
  wait_for_hands(kLastWords, [] { return false; });
}

}  // namespace waggle::worker
