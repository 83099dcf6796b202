// The event proxy: forwards publications one way and subscriptions the other, so that a publisher does not
// even send what nobody asked for. It looks at the form of a message, never into it: subscribers do.
#include <cerrno>

#include "consumer/bus/socket.h"
#include "schemas/limits.h"

namespace waggle::bus {
namespace {

constexpr int kAtOnce = 1000;  // messages one way before a look at the other

std::string unique_inproc(const char* what) {
  static std::atomic<unsigned> next{0};
  return std::string("inproc://waggle-") + what + "-" + std::to_string(next++);
}

}  // namespace

struct EventProxy::Impl {
  zmq::socket_t in, out, control, stop;
  std::string collect, publish, inproc;
  std::thread thread;

  std::atomic<std::uint64_t> malformed_events{0}, malformed_subscriptions{0};

  void run() {
    block_signals();
    zmq_pollitem_t ready[] = {{in.handle(), 0, ZMQ_POLLIN, 0},
                              {out.handle(), 0, ZMQ_POLLIN, 0},
                              {control.handle(), 0, ZMQ_POLLIN, 0}};
    // Ends on a word from the destructor, or when the context is shut down under it.
    while (zmq_poll(ready, 3, -1) >= 0 || zmq_errno() == EINTR) {
      if (ready[2].revents != 0) return;
      if (ready[0].revents != 0) forward_events();
      if (ready[1].revents != 0) forward_subscriptions();
    }
  }
  void forward_events() {
    for (int i = 0; i < kAtOnce; ++i) {
      auto frames = receive_frames(in, 3);
      if (!frames) return;
      if (frames->size() != 2 || !is_topic((*frames)[0].to_string_view())) {
        ++malformed_events;
        continue;
      }
      // XPUB never blocks: a subscriber that takes too little loses messages.
      if (zmq_msg_send((*frames)[0].handle(), out.handle(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) continue;
      zmq_msg_send((*frames)[1].handle(), out.handle(), ZMQ_DONTWAIT);
    }
  }
  void forward_subscriptions() {
    for (int i = 0; i < kAtOnce; ++i) {
      auto frames = receive_frames(out, 2);
      if (!frames) return;
      // 0 or 1, and a prefix of topics.
      const std::string_view text = frames->front().to_string_view();
      if (frames->size() != 1 || text.empty() || static_cast<unsigned char>(text[0]) > 1 ||
          text.size() > limits::kMaxTopicBytes + 1) {
        ++malformed_subscriptions;
        continue;
      }
      zmq_msg_send(frames->front().handle(), in.handle(), ZMQ_DONTWAIT);
    }
  }
};

EventProxy::EventProxy(Context& context, const std::string& collect, const std::string& publish)
    : impl_(std::make_unique<Impl>()) {
  impl_->in = make_socket(context, zmq::socket_type::xsub);
  impl_->out = make_socket(context, zmq::socket_type::xpub);
  impl_->collect = bind_socket(context, impl_->in, collect);
  impl_->publish = bind_socket(context, impl_->out, publish);
  impl_->inproc = unique_inproc("proxy");
  impl_->in.bind(impl_->inproc);

  const std::string control = unique_inproc("proxy-control");
  impl_->control = zmq::socket_t(context.impl().zmq, zmq::socket_type::pair);
  impl_->stop = zmq::socket_t(context.impl().zmq, zmq::socket_type::pair);
  impl_->control.bind(control);
  impl_->stop.connect(control);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

EventProxy::~EventProxy() {
  impl_->stop.send(zmq::str_buffer("TERMINATE"), zmq::send_flags::dontwait);
  impl_->thread.join();
}

std::string EventProxy::collect_endpoint() const { return impl_->collect; }
std::string EventProxy::publish_endpoint() const { return impl_->publish; }
std::string EventProxy::inproc_endpoint() const { return impl_->inproc; }
std::uint64_t EventProxy::malformed_events() const { return impl_->malformed_events; }
std::uint64_t EventProxy::malformed_subscriptions() const { return impl_->malformed_subscriptions; }

}  // namespace waggle::bus
