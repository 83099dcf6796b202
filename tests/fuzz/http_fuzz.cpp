// Fuzz entry of the bridge: the input is all that a client sends before it stops sending. It goes over a real
// socket to a real connection with all routes; behind them no queen and no Redis answers. Whatever comes, the
// client gets HTTP or nothing, and nothing stays behind.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include "consumer/bridge/connection.h"

namespace {

using namespace waggle;
using namespace waggle::bridge;
using asio::ip::tcp;

bridge::Settings alone() {
  bridge::Settings settings;
  settings.redis.unix_socket = "/nonexistent/redis";
  settings.requests = settings.events = {"ipc:///nonexistent/queen"};
  settings.queen_timeout = std::chrono::milliseconds(1);
  settings.cors_origin = "*";
  settings.rate_limit = settings.rate_burst = 1e9;
  settings.behind_proxy = true;
  settings.pool_threads = 1;
  return settings;
}

class Bridge {
 public:
  /// What the client reads until the bridge closes.
  std::string answer(const std::uint8_t* data, std::size_t size) {
    tcp::socket client(io_);
    client.connect(acceptor_.local_endpoint());
    auto connection = make_connection(acceptor_.accept(), services_, limits_);
    boost::system::error_code failure;
    asio::write(client, asio::buffer(data, size), failure);
    client.shutdown(tcp::socket::shutdown_send, failure);
    asio::co_spawn(io_, connection->run(), asio::detached);
    io_.restart();
    io_.run();
    connection.reset();
    if (limits_.open_streams != 0 || limits_.body_bytes != 0) std::abort();
    std::string text;
    std::array<char, 16 * 1024> piece;
    while (!failure) text.append(piece.data(), client.read_some(asio::buffer(piece), failure));
    return text;
  }

 private:
  asio::io_context io_{1};
  const bridge::Settings settings_ = alone();
  Metrics metrics_;
  LedgerPool pool_{settings_.redis, settings_.pool_threads};
  BusLink bus_{io_, settings_};
  StreamHub hub_{io_, pool_, bus_, settings_};
  program::RateLimiter limiter_{settings_.rate_limit, settings_.rate_burst};
  Services services_{settings_, pool_, bus_, hub_, metrics_, limiter_};
  ConnectionLimits limits_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

constexpr std::size_t kMost = 64 * 1024;  // what a socket takes while nobody reads

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = (spdlog::set_level(spdlog::level::off), true);
  static Bridge bridge;  // goes before the log that its threads write to
  if (!quiet || size > kMost) return 0;
  const std::string text = bridge.answer(data, size);
  if (!text.empty() && (!text.starts_with("HTTP/1.") || text.find("\r\n\r\n") == std::string::npos))
    std::abort();
  return 0;
}
