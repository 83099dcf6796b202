// The queen's ROUTER. A client is known by the routing id that ZeroMQ drew for its connection; handover stays
// off, so nobody can take another's replies by naming himself like him.
#include "consumer/bus/socket.h"

namespace waggle::bus {

struct RequestServer::Impl {
  zmq::socket_t socket;
  std::string endpoint;
  std::uint64_t malformed = 0;
};

RequestServer::RequestServer(Context& context, const std::string& endpoint)
    : impl_(new Impl{make_socket(context, zmq::socket_type::router), {}}) {
  // A reply to somebody who left is an error at once instead of a message that waits for him.
  impl_->socket.set(zmq::sockopt::router_mandatory, true);
  impl_->endpoint = bind_socket(context, impl_->socket, endpoint);
}
RequestServer::~RequestServer() = default;

std::string RequestServer::endpoint() const { return impl_->endpoint; }

std::optional<RequestServer::Incoming> RequestServer::receive(std::chrono::milliseconds timeout) {
  return receive_until(impl_->socket, 4, timeout, [this](auto& frames) -> std::optional<Incoming> {
    if (frames.size() == 3 && frames[1].to_string_view() == kRequestsTopic) {
      const char* key = zmq_msg_gets(frames[2].handle(), "User-Id");
      const std::string client = frames[0].to_string();
      return Incoming{client, key != nullptr ? std::string(key) : client, frames[2].to_string()};
    }
    ++impl_->malformed;
    return std::nullopt;
  });
}

void RequestServer::reply(const std::string& client, std::string_view payload) {
  // Whoever left, or takes no answers, loses this one: no client may hold up the queen.
  if (zmq_send(impl_->socket.handle(), client.data(), client.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) return;
  send_two(impl_->socket, kRepliesTopic, payload);
}

std::uint64_t RequestServer::malformed() const { return impl_->malformed; }

}  // namespace waggle::bus
