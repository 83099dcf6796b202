// The event proxy: forwards publications one way and subscriptions the other, so that a publisher does not
// even send what nobody asked for. It neither reads nor checks messages; subscribers do.
#include <cerrno>

#include "consumer/bus/socket.h"

namespace waggle::bus {
namespace {

std::string unique_inproc(const char* what) {
  static std::atomic<unsigned> next{0};
  return std::string("inproc://waggle-") + what + "-" + std::to_string(next++);
}

}  // namespace

struct EventProxy::Impl {
  zmq::socket_t in, out, control, stop;
  std::string collect, publish, inproc;
  std::thread thread;

  void run() {
    block_signals();
    // Ends on "TERMINATE", or when the context is shut down under it.
    while (zmq_proxy_steerable(in.handle(), out.handle(), nullptr, control.handle()) != 0 &&
           zmq_errno() == EINTR) {
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

}  // namespace waggle::bus
