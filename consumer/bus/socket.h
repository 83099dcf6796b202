// What every socket of the queue has in common: limits, heartbeats, CURVE, and reading whole messages within
// a time. Private to consumer/bus: the only header that shows ZeroMQ.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "consumer/bus/bus.h"

namespace waggle::bus {

/// Answers ZeroMQ's question "may this key connect?" (RFC 27) from a fixed list, on a thread of its own.
class AllowList {
 public:
  AllowList(zmq::context_t& context, const std::vector<std::string>& keys);
  ~AllowList();

 private:
  void serve();

  std::vector<std::string> keys_;  ///< 32 raw bytes each
  zmq::socket_t handler_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

struct Context::Impl {
  explicit Impl(int io_threads) : zmq(io_threads) {}
  zmq::context_t zmq;
  std::optional<Security> security;
  std::unique_ptr<AllowList> allow_list;
};

/// A socket with the limits of the house. Those that bind are CURVE servers, those that connect CURVE
/// clients.
zmq::socket_t make_socket(Context& context, zmq::socket_type type);
/// Throws std::runtime_error naming the endpoint. Returns the endpoint as bound, with the real port.
std::string bind_socket(Context& context, zmq::socket_t& socket, const std::string& endpoint);
void connect_socket(Context& context, zmq::socket_t& socket, const std::vector<std::string>& endpoints);

/// All frames of the next message. At most `most` are kept: a message of a thousand frames costs no memory,
/// and its length still tells it from a good one (`most` must exceed what the caller expects).
std::optional<std::vector<zmq::message_t>> receive_frames(zmq::socket_t& socket, std::size_t most);
/// Whether the socket became ready for `events` before the time. False early when a signal arrived.
bool wait_for(zmq::socket_t& socket, short events, std::chrono::milliseconds timeout);
/// Two frames without waiting. False when nobody takes them now.
bool send_two(zmq::socket_t& socket, std::string_view first, std::string_view second);

/// Whether the frame is a topic: UTF-8, at most limits::kMaxTopicBytes, ends in '/'.
bool is_topic(std::string_view frame) noexcept;

/// Blocks all signals in this thread, so that the process's own handling runs elsewhere and nothing here sees
/// EINTR.
void block_signals();

inline constexpr std::string_view kRequestsTopic = "requests/";
inline constexpr std::string_view kRepliesTopic = "replies/";

/// Runs `take` on each message until one is accepted or the time is over. `take` answers an optional.
template <class Take>
auto receive_until(zmq::socket_t& socket, std::size_t most, std::chrono::milliseconds timeout, Take take)
    -> decltype(take(std::declval<std::vector<zmq::message_t>&>())) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    while (auto frames = receive_frames(socket, most)) {
      if (auto taken = take(*frames)) return taken;
      // A flood of garbage must not hold the caller longer than it asked for.
      if (std::chrono::steady_clock::now() > deadline) return {};
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !wait_for(socket, ZMQ_POLLIN, left)) return {};
  }
}

}  // namespace waggle::bus
