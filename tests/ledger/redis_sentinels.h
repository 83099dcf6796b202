// A master, its replica and three Sentinels for one test, on free ports of loopback; everything ends with the
// object. Fail-over takes about two seconds here: the times are short.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "tests/ledger/redis_server.h"

namespace waggle::testing {

class RedisSentinels {
 public:
  /// Ready when the replica follows and the Sentinels know it and each other; else throws std::runtime_error.
  RedisSentinels();
  ~RedisSentinels();
  RedisSentinels(const RedisSentinels&) = delete;
  RedisSentinels& operator=(const RedisSentinels&) = delete;

  [[nodiscard]] std::string url() const;  ///< "redis-sentinel://127.0.0.1:<port>,...?master=hive"
  [[nodiscard]] ledger::Options options() const;
  /// The server that was master at the start.
  [[nodiscard]] RedisServer& master() { return *servers_.front(); }
  /// Whether the replica has everything that the master has.
  [[nodiscard]] bool replicated() const;

 private:
  void start_sentinel(int number);
  [[nodiscard]] bool settled() const;

  std::string directory_;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<int> ports_;
  std::vector<pid_t> pids_;
};

}  // namespace waggle::testing
