// Reading until the job's last line.
#include "tests/chaos/readers.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "consumer/program/queens.h"
#include "schemas/codec/msgpack.h"
#include "tests/bridge/http_client.h"

namespace waggle::chaos {

using namespace std::chrono_literals;

namespace {
constexpr auto kSilence = 5s;         // of a connection, after which it is given up
constexpr auto kBeforeReturn = 20ms;  // between two connections
}  // namespace

StreamReaders::StreamReaders(int bridge_port, int threads) : port_(bridge_port) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

StreamReaders::~StreamReaders() { finish(); }

void StreamReaders::follow(const PlannedJob& job, const JobId& id) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back({job.number, job.hang_up_every.value_or(0), id});
  }
  changed_.notify_one();
}

std::size_t StreamReaders::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size() + busy_;
}

std::map<int, Told> StreamReaders::finish() {
  {
    // Under the lock: a reader between its look and its wait would sleep through the call, for ever.
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return std::move(told_);
}

void StreamReaders::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    if (closing_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    ++busy_;
    lock.unlock();
    Told told;
    read(task, told);
    lock.lock();
    told_[task.number] = std::move(told);
    --busy_;
  }
}

void StreamReaders::read(const Task& task, Told& told) {
  while (!closing_) {
    try {
      if (read_once(task, told)) return;
    } catch (const std::exception&) {
      // The bridge is away or silent: where it has been heard last, it goes on.
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kBeforeReturn, [this] { return closing_.load(); });
  }
}

bool StreamReaders::read_once(const Task& task, Told& told) const {
  testing::HttpClient http(port_);
  std::string request = "GET /v1/jobs/" + task.id.value + "/stream HTTP/1.1\r\nHost: chaos\r\n";
  if (!told.stream.empty()) request += "Last-Event-ID: " + told.stream.back().id.value + "\r\n";
  http.send(request + "\r\n");
  if (http.read_header().status != 200) return false;
  for (int events = 0; !closing_;) {
    const auto event = http.next_event(kSilence);
    if (!event) return false;
    if (event->event.empty()) {
      told.last_line = event->data;
      return true;
    }
    told.stream.push_back({EventId(event->id), event->event});
    if (task.hang_up_every > 0 && ++events == task.hang_up_every) return false;
  }
  return false;
}

BusReader::BusReader(bus::Context& context, std::vector<bus::Endpoints> queens)
    : context_(context), thread_([this, at = std::move(queens)] { run(at); }) {}

BusReader::~BusReader() { finish(); }

std::map<JobId, std::vector<SeenEvent>> BusReader::finish() {
  closing_ = true;
  if (thread_.joinable()) thread_.join();
  return std::move(told_);
}

void BusReader::run(const std::vector<bus::Endpoints>& queens) {
  bus::Subscriber subscriber(context_, program::each(queens, &bus::Endpoints::publish));
  subscriber.subscribe("events/");
  while (!closing_) {
    const auto message = subscriber.receive(50ms);
    if (!message) continue;
    if (const auto event = codec::from_msgpack<Event>(message->payload)) {
      told_[event->job].push_back({event->id, std::string(name(event->body))});
    }
  }
}

}  // namespace waggle::chaos
