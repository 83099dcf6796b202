// A whole pool but the rendering, for tests of the bridge: a real Redis, a real queen on its own thread, the
// bridge on another, and the worker's half played by the test through the ledger.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "consumer/bridge/server.h"
#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "consumer/queen/queen.h"
#include "tests/bridge/http_client.h"
#include "tests/ledger/redis_server.h"

namespace waggle::testing {

class Hive {
 public:
  /// `rate_limit`: requests a second that the queen takes of the bridge, after a first one; 0: any number.
  explicit Hive(bridge::Settings settings = {}, ledger::Policy policy = {}, double rate_limit = 0);
  ~Hive();

  [[nodiscard]] HttpClient client(int receive_buffer_bytes = 0) const {
    return HttpClient(port(), receive_buffer_bytes);
  }
  [[nodiscard]] int port() const { return bridge_->port(); }
  [[nodiscard]] RedisServer& redis() { return redis_; }
  [[nodiscard]] ledger::Ledger& ledger() { return ledger_; }
  /// Another bridge on the same pool; the first goes.
  void replace_bridge();
  void stop_bridge();
  void stop_queen();

  /// Submits a small valid job by HTTP; its id.
  std::string submit(const std::string& more_fields = "");

  // --- the worker's half ---
  ledger::Lease claim();
  EventId say(const ledger::Lease& lease, EventBody body);
  EventId progress(const ledger::Lease& lease, int step, int total);
  EventId preview(const ledger::Lease& lease, int step, std::size_t bytes);
  void commit(const ledger::Lease& lease, int index, const std::string& bytes);
  void finish(const ledger::Lease& lease, EventBody body);
  /// One committed image and the job's end.
  void complete(const ledger::Lease& lease, const std::string& image);

 private:
  void start_bridge();
  void publish(const Event& event);

  RedisServer redis_{"no"};
  ledger::Policy policy_;
  ledger::Ledger ledger_;
  std::unique_ptr<queen::Queen> queen_;
  std::atomic<bool> stop_queen_{false};
  std::thread queen_thread_;
  bridge::Settings settings_;
  std::unique_ptr<bridge::Server> bridge_;
  std::thread bridge_thread_;
  bus::Context context_;
  std::unique_ptr<bus::Publisher> publisher_;
};

/// {"operation": "image_generation", "model": "sd15", "prompt": "a bee"<more_fields>}
std::string job_body(const std::string& more_fields = "");

/// All events to the stream's end, as "event id" or, for plain data, the data.
std::vector<SseEvent> read_stream(HttpClient& client);

}  // namespace waggle::testing
