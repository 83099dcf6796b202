// Fuzz entry of the bus: a peer that speaks ZeroMQ and nothing else that it should. The first byte picks the
// socket, the rest are frames, each behind its length in two bytes. A real queen and a real worker, without
// Redis, take what comes; after each input the queen still answers and the worker still hears.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <zmq.hpp>

#include "consumer/bus/topics.h"
#include "consumer/queen/queen.h"
#include "consumer/worker/worker.h"
#include "schemas/codec/msgpack.h"

namespace {

using namespace waggle;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 20s;

/// What the worker is told to load last: how the test knows that the worker has come so far.
class Ear final : public worker::Renderer {
 public:
  [[nodiscard]] worker::Description describe() const override {
    return {"cpu", "an ear", "fp32", {{"null", "null", {}, true, 0}}, {}, {}};
  }
  Status load(const std::string& model) override {
    {
      const std::lock_guard lock(mutex_);
      heard_ = model;
    }
    changed_.notify_all();
    return Done{};
  }
  void unload(const std::string&) override {}
  pipeline::Ticket render(pipeline::RenderJob) override { return 1; }
  void cancel(pipeline::Ticket) override {}
  [[nodiscard]] pipeline::EngineStats stats() const override { return {}; }

  bool hears(const std::string& word, std::chrono::milliseconds within) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [&] { return heard_ == word; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string heard_;
};

queen::Options queen_options() {
  queen::Options options;
  options.listen = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"};
  options.redis.unix_socket = "/nonexistent/redis";
  return options;
}

worker::Settings worker_settings(const bus::Endpoints& queen) {
  worker::Settings settings;
  settings.id = WorkerId("w");
  settings.version = "fuzz";
  settings.queens = {queen};
  settings.redis.unix_socket = "/nonexistent/redis";
  return settings;
}

/// A worker that may be told to leave, and then another one comes.
class Listener {
 public:
  explicit Listener(const bus::Endpoints& queen)
      : ear_(new Ear), worker_(worker_settings(queen), std::unique_ptr<worker::Renderer>(ear_), [] {}) {
    thread_ = std::thread([this] { worker_.run(stop_); });
  }
  ~Listener() {
    stop_.request();
    stop_.request();
    thread_.join();
  }
  bool hears(const std::string& word) { return ear_->hears(word, 20ms); }
  [[nodiscard]] bool leaving() const { return worker_.info().state == WorkerState::draining; }

 private:
  Ear* ear_;  ///< the worker's own
  program::StopSignal stop_;
  worker::Worker worker_;
  std::thread thread_;
};

class Hive {
 public:
  Hive()
      : queen_(queen_options()),
        answering_([this] { queen_.run([this] { return stopping_.load(); }); }),
        listener_(std::make_unique<Listener>(queen_.endpoints())),
        client_(context_, {queen_.endpoints().requests}),
        control_(context_, {queen_.endpoints().collect}) {
    for (auto [socket, endpoint] :
         {std::pair{&requests_, queen_.endpoints().requests}, std::pair{&events_, queen_.endpoints().collect},
          std::pair{&subscriptions_, queen_.endpoints().publish}}) {
      socket->set(zmq::sockopt::linger, 0);
      socket->connect(endpoint);
    }
    check();
  }
  ~Hive() {
    stopping_ = true;
    answering_.join();
  }

  void take(const std::uint8_t* data, std::size_t size) {
    zmq::socket_t* const sockets[] = {&requests_, &events_, &subscriptions_};
    zmq::socket_t& socket = *sockets[data[0] % 3];
    std::vector<std::string> frames;
    for (std::size_t at = 1; at < size || frames.empty();) {
      const std::size_t length = at + 1 < size ? data[at] + 256U * data[at + 1] : 0;
      at = std::min(size, at + 2);
      const std::size_t end = std::min(size, at + length);
      frames.emplace_back(data + at, data + end);
      at = end;
    }
    // Whatever was taken back meanwhile: a publisher does not even send what nobody asked for.
    (void)subscriptions_.send(zmq::str_buffer("\1"), zmq::send_flags::dontwait);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto more = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
      (void)socket.send(zmq::buffer(frames[i]), more | zmq::send_flags::dontwait);
    }
    zmq::message_t dropped;
    while (requests_.recv(dropped, zmq::recv_flags::dontwait)) {
    }
    while (subscriptions_.recv(dropped, zmq::recv_flags::dontwait)) {
    }
    check();
  }

 private:
  /// The queen answers, and a word goes through her proxy to the worker.
  void check() {
    const std::string word = "word-" + std::to_string(++words_);
    if (!client_.send(codec::to_msgpack(Request{RequestId(word), StatsRequest{}}))) std::abort();
    const auto deadline = Clock::now() + kPatience;
    const auto answer = client_.receive(kPatience);
    if (!answer || !codec::from_msgpack<Reply>(*answer)) std::abort();
    // A hint may be lost while sockets find each other, so it is said until it is heard.
    do {
      if (Clock::now() > deadline) std::abort();
      if (listener_->leaving()) listener_ = std::make_unique<Listener>(queen_.endpoints());
      control_.send(bus::control_topic_all(), codec::to_msgpack(Control{ControlLoadModel{word}}));
    } while (!listener_->hears(word));
  }

  std::atomic<bool> stopping_{false};
  queen::Queen queen_;
  std::thread answering_;
  std::unique_ptr<Listener> listener_;
  bus::Context context_;
  bus::RequestClient client_;
  bus::Publisher control_;
  zmq::context_t raw_;
  zmq::socket_t requests_{raw_, zmq::socket_type::dealer}, events_{raw_, zmq::socket_type::pub},
      subscriptions_{raw_, zmq::socket_type::xsub};
  int words_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = (spdlog::set_level(spdlog::level::off), true);
  static Hive hive;  // goes before the log that its threads write to
  if (quiet && size > 0) hive.take(data, size);
  return 0;
}
