// Accepting, and the order in which things stop.
#include "consumer/bridge/server.h"

#include <stdexcept>
#include <unordered_set>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/connection.h"

namespace waggle::bridge {
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kGrace{300};  ///< for requests in hand when the bridge stops
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Each connection is a descriptor; the usual soft limit of 1024 would be the real maximum.
void allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

tcp::endpoint resolve(asio::io_context& io, const std::string& host, int port) {
  error_code failure;
  const auto address = asio::ip::make_address(host, failure);
  if (!failure) return {address, static_cast<unsigned short>(port)};
  const auto found = tcp::resolver(io).resolve(host, std::to_string(port), failure);
  if (failure || found.empty())
    throw std::runtime_error("cannot listen on " + host + ": " + failure.message());
  return found.begin()->endpoint();
}

}  // namespace

struct Server::Impl {
  explicit Impl(Settings from)
      : settings(std::move(from)),
        pool(settings.redis, settings.pool_threads),
        bus(io, settings),
        hub(io, pool, bus, settings),
        limiter(settings.rate_limit, settings.rate_burst),
        services{settings, pool, bus, hub, metrics, limiter},
        acceptor(io),
        grace(io) {
    allow_descriptors(settings.max_connections + 256);
    listen();
  }

  void listen() {
    const tcp::endpoint endpoint = resolve(io, settings.host, settings.port);
    try {
      acceptor.open(endpoint.protocol());
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      acceptor.bind(endpoint);
      acceptor.listen();
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error("cannot listen on " + settings.host + ":" + std::to_string(settings.port) +
                               ": " + error.code().message());
    }
  }

  asio::awaitable<void> accept() {
    while (!limits.draining) {
      error_code failure;
      tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (failure == asio::error::operation_aborted) break;
      if (failure) {
        // Out of descriptors: some will be free again soon.
        asio::steady_timer pause(io, std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      socket.set_option(tcp::no_delay(true), failure);
      if (connections.size() >= settings.max_connections) {
        socket.non_blocking(true, failure);
        socket.write_some(asio::buffer(kFull.data(), kFull.size()), failure);
        continue;
      }
      auto connection = make_connection(std::move(socket), services, limits);
      asio::co_spawn(io, serve(std::move(connection)), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Connection> connection) {
    connections.insert(connection.get());
    metrics.connections(connections.size());
    co_await connection->run();
    connections.erase(connection.get());
    metrics.connections(connections.size());
    if (limits.draining && connections.empty()) grace.cancel();
  }

  void begin_stop() {
    if (limits.draining) return;
    limits.draining = true;
    error_code ignored;
    acceptor.close(ignored);
    if (watched) watched->cancel(ignored);
    hub.stop();
    const auto idle = connections;
    for (Connection* connection : idle) connection->close_if_idle();
    grace.expires_after(connections.empty() ? std::chrono::milliseconds(0) : kGrace);
    grace.async_wait([this](const error_code&) {
      const auto left = connections;
      for (Connection* connection : left) connection->close();
      // Both answer what still waits, so that every coroutine comes to its end and the loop runs dry.
      bus.stop();
      pool.stop();
    });
  }

  asio::io_context io{1};
  const Settings settings;
  Metrics metrics;
  LedgerPool pool;
  BusLink bus;
  StreamHub hub;
  program::RateLimiter limiter;
  Services services;
  ConnectionLimits limits;
  tcp::acceptor acceptor;
  asio::steady_timer grace;
  std::unique_ptr<asio::posix::stream_descriptor> watched;
  std::unordered_set<Connection*> connections;
};

Server::Server(Settings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Server::~Server() = default;

int Server::port() const { return impl_->acceptor.local_endpoint().port(); }

std::string Server::url() const {
  const std::string& host = impl_->settings.host;
  return "http://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port());
}

void Server::run() {
  asio::co_spawn(impl_->io, impl_->accept(), asio::detached);
  impl_->io.run();
}

void Server::stop() {
  asio::post(impl_->io, [this] { impl_->begin_stop(); });
}

void Server::stop_when_readable(int descriptor) {
  impl_->watched = std::make_unique<asio::posix::stream_descriptor>(impl_->io, ::dup(descriptor));
  impl_->watched->async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& failure) {
    if (!failure) impl_->begin_stop();
  });
}

bool is_loopback(const std::string& host) {
  error_code failure;
  const auto address = asio::ip::make_address(host, failure);
  return failure ? host == "localhost" : address.is_loopback();
}

}  // namespace waggle::bridge
