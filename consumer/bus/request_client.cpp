// A client's DEALER over all queens. Requests go round the queens that are connected at the moment; who
// resends a request that stayed without an answer is the caller's business (idempotency keys make that safe).
#include "consumer/bus/socket.h"

namespace waggle::bus {
struct RequestClient::Impl {
  zmq::socket_t socket;
  std::uint64_t malformed = 0;
};

RequestClient::RequestClient(Context& context, const std::vector<std::string>& connect_to)
    : impl_(new Impl{make_socket(context, zmq::socket_type::dealer)}) {
  // Only connections that stand get requests: a queen that is down must not swallow them.
  impl_->socket.set(zmq::sockopt::immediate, true);
  connect_socket(context, impl_->socket, connect_to);
}
RequestClient::~RequestClient() = default;
RequestClient::RequestClient(RequestClient&&) noexcept = default;

Status RequestClient::send(std::string_view payload, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!send_two(impl_->socket, kRequestsTopic, payload)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !wait_for(impl_->socket, ZMQ_POLLOUT, left)) {
      return Error{ErrorCode::unavailable, "no queen answers"};
    }
  }
  return Done{};
}

std::optional<std::string> RequestClient::receive(std::chrono::milliseconds timeout) {
  return receive_until(impl_->socket, 3, timeout, [this](auto& frames) -> std::optional<std::string> {
    if (frames.size() == 2 && frames[0].to_string_view() == kRepliesTopic) return frames[1].to_string();
    ++impl_->malformed;
    return std::nullopt;
  });
}

std::uint64_t RequestClient::malformed() const { return impl_->malformed; }
int RequestClient::descriptor() const { return static_cast<int>(impl_->socket.get(zmq::sockopt::fd)); }

}  // namespace waggle::bus
