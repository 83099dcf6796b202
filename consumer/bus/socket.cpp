// The options of every socket, and message reading with its limits.
#include "consumer/bus/socket.h"

#include <cerrno>
#include <stdexcept>

#include <pthread.h>
#include <signal.h>

#include "schemas/limits.h"
#include "schemas/validate.h"

namespace waggle::bus {
namespace {

// A peer is given up after three missed beats: a dead queen is noticed in six seconds, also behind a silent
// firewall.
constexpr int kHeartbeatEvery_ms = 2000, kHeartbeatTimeout_ms = 6000;
constexpr int kReconnectFirst_ms = 100, kReconnectMax_ms = 2000;
constexpr int kHandshake_ms = 5000;  // a peer that connects and says nothing
constexpr int kLinger_ms = 500;      // the last events of a process that ends
constexpr int kHighWater = 10'000;   // messages per peer
constexpr int kBacklog = 1024;
// What subscribers may send is a subscription: one topic and a few bytes of framing. More than a courtesy:
// libzmq keeps subscriptions in a tree as deep as they are long and walks it recursively, so one of a
// megabyte ends the process.
constexpr std::int64_t kMaxSubscriptionBytes = static_cast<std::int64_t>(limits::kMaxTopicBytes) + 64;

void secure_server(zmq::socket_t& socket, const Security& security) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, security.secret_key);
  socket.set(zmq::sockopt::zap_domain, "waggle");
}

void secure_client(zmq::socket_t& socket, const Security& security) {
  socket.set(zmq::sockopt::curve_serverkey, security.server_key);
  socket.set(zmq::sockopt::curve_publickey, security.public_key);
  socket.set(zmq::sockopt::curve_secretkey, security.secret_key);
}

}  // namespace

zmq::socket_t make_socket(Context& context, zmq::socket_type type) {
  zmq::socket_t socket(context.impl().zmq, type);
  socket.set(zmq::sockopt::linger, kLinger_ms);
  socket.set(zmq::sockopt::sndhwm, kHighWater);
  socket.set(zmq::sockopt::rcvhwm, kHighWater);
  socket.set(zmq::sockopt::backlog, kBacklog);
  socket.set(zmq::sockopt::maxmsgsize, type == zmq::socket_type::xpub
                                           ? kMaxSubscriptionBytes
                                           : static_cast<std::int64_t>(limits::kMaxMessageBytes));
  socket.set(zmq::sockopt::heartbeat_ivl, kHeartbeatEvery_ms);
  socket.set(zmq::sockopt::heartbeat_timeout, kHeartbeatTimeout_ms);
  socket.set(zmq::sockopt::heartbeat_ttl, kHeartbeatTimeout_ms);
  socket.set(zmq::sockopt::handshake_ivl, kHandshake_ms);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectFirst_ms);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMax_ms);
  return socket;
}

std::string bind_socket(Context& context, zmq::socket_t& socket, const std::string& endpoint) {
  try {
    if (context.impl().security) secure_server(socket, *context.impl().security);
    socket.bind(endpoint);
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot listen on " + endpoint + ": " + error.what());
  }
  return socket.get(zmq::sockopt::last_endpoint);
}

void connect_socket(Context& context, zmq::socket_t& socket, const std::vector<std::string>& endpoints) {
  const auto& security = context.impl().security;
  // A queen has no server key: what it connects to is its own proxy inside the process.
  if (security && !security->server_key.empty()) secure_client(socket, *security);
  for (const std::string& endpoint : endpoints) {
    try {
      socket.connect(endpoint);
    } catch (const zmq::error_t& error) {
      throw std::runtime_error("cannot connect to " + endpoint + ": " + error.what());
    }
  }
}

std::optional<std::vector<zmq::message_t>> receive_frames(zmq::socket_t& socket, std::size_t most) {
  std::vector<zmq::message_t> frames;
  bool more = true;
  while (more) {
    zmq::message_t frame;
    // After the first frame the rest is there: ZeroMQ delivers a message whole.
    if (zmq_msg_recv(frame.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return std::nullopt;
    more = frame.more();
    if (frames.size() < most) frames.push_back(std::move(frame));
  }
  return frames;
}

bool wait_for(zmq::socket_t& socket, short events, std::chrono::milliseconds timeout) {
  zmq_pollitem_t item{socket.handle(), 0, events, 0};
  return zmq_poll(&item, 1, timeout.count()) > 0;
}

bool send_two(zmq::socket_t& socket, std::string_view first, std::string_view second) {
  if (zmq_send(socket.handle(), first.data(), first.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) return false;
  return zmq_send(socket.handle(), second.data(), second.size(), ZMQ_DONTWAIT) >= 0;
}

bool is_topic(std::string_view frame) noexcept {
  return !frame.empty() && frame.size() <= limits::kMaxTopicBytes && frame.back() == '/' &&
         is_valid_utf8(frame);
}

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace waggle::bus
