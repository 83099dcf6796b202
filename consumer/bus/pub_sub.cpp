// Publisher and Subscriber: hints that may be lost.
#include "consumer/bus/socket.h"

namespace waggle::bus {

struct Publisher::Impl {
  zmq::socket_t socket;
};

Publisher::Publisher(Context& context, const std::vector<std::string>& connect_to)
    : impl_(new Impl{make_socket(context, zmq::socket_type::pub)}) {
  // Nothing is kept for a queen that is away: it would grow to the high-water mark, hold up our own end for
  // the linger time, and be old news when the queen is back.
  impl_->socket.set(zmq::sockopt::immediate, true);
  connect_socket(context, impl_->socket, connect_to);
}
Publisher::~Publisher() = default;
Publisher::Publisher(Publisher&&) noexcept = default;

// PUB drops by itself what a peer does not take; a failure here has nobody to be told to, and the ledger has
// the record.
void Publisher::send(std::string_view topic, std::string_view payload) {
  send_two(impl_->socket, topic, payload);
}

struct Subscriber::Impl {
  zmq::socket_t socket;
  std::uint64_t malformed = 0;
};

Subscriber::Subscriber(Context& context, const std::vector<std::string>& connect_to)
    : impl_(new Impl{make_socket(context, zmq::socket_type::sub)}) {
  connect_socket(context, impl_->socket, connect_to);
}
Subscriber::~Subscriber() = default;
Subscriber::Subscriber(Subscriber&&) noexcept = default;

void Subscriber::subscribe(std::string_view topic_prefix) {
  impl_->socket.set(zmq::sockopt::subscribe, zmq::const_buffer(topic_prefix.data(), topic_prefix.size()));
}
void Subscriber::unsubscribe(std::string_view topic_prefix) {
  impl_->socket.set(zmq::sockopt::unsubscribe, zmq::const_buffer(topic_prefix.data(), topic_prefix.size()));
}

std::optional<Message> Subscriber::receive(std::chrono::milliseconds timeout) {
  return receive_until(impl_->socket, 3, timeout, [this](auto& frames) -> std::optional<Message> {
    if (frames.size() == 2 && is_topic(frames[0].to_string_view())) {
      return Message{frames[0].to_string(), frames[1].to_string()};
    }
    ++impl_->malformed;
    return std::nullopt;
  });
}

std::uint64_t Subscriber::malformed() const { return impl_->malformed; }
int Subscriber::descriptor() const { return static_cast<int>(impl_->socket.get(zmq::sockopt::fd)); }

}  // namespace waggle::bus
