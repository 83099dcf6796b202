// The context with its keys, and the handler that decides which client keys may connect (ZAP, RFC 27).
#include <algorithm>
#include <array>
#include <stdexcept>

#include "consumer/bus/socket.h"

namespace waggle::bus {
namespace {

constexpr std::size_t kKeyText = 40, kKeyBytes = 32;

/// The 32 bytes of a Z85 key. Throws std::runtime_error that does not repeat the key.
std::string decode_key(const std::string& text, const char* what) {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  if (text.size() != kKeyText || zmq_z85_decode(bytes.data(), text.c_str()) == nullptr) {
    throw std::runtime_error(std::string(what) + " is not a CURVE key (40 characters of Z85)");
  }
  return {bytes.begin(), bytes.end()};
}

std::string encode_key(const zmq::message_t& key) {
  std::array<char, kKeyText + 1> text{};
  if (key.size() != kKeyBytes || zmq_z85_encode(text.data(), key.data<std::uint8_t>(), kKeyBytes) == nullptr)
    return {};
  return text.data();
}

}  // namespace

AllowList::AllowList(zmq::context_t& context, const std::vector<std::string>& keys)
    : handler_(context, zmq::socket_type::rep) {
  for (const std::string& key : keys) keys_.push_back(decode_key(key, "an allowed client key"));
  handler_.set(zmq::sockopt::linger, 0);
  handler_.bind("inproc://zeromq.zap.01");
  thread_ = std::thread([this] { serve(); });
}

AllowList::~AllowList() {
  stopping_ = true;
  thread_.join();
}

void AllowList::serve() {
  block_signals();
  while (!stopping_) {
    if (!wait_for(handler_, ZMQ_POLLIN, std::chrono::milliseconds(50))) continue;
    auto frames = receive_frames(handler_, 16);
    if (!frames) continue;
    // version, request id, domain, address, identity, mechanism, credentials (the client's raw public key)
    const bool asked = frames->size() >= 7 && (*frames)[5].to_string_view() == "CURVE";
    const bool allowed =
        asked && std::find(keys_.begin(), keys_.end(), (*frames)[6].to_string()) != keys_.end();
    const std::string id = frames->size() > 1 ? (*frames)[1].to_string() : std::string();
    // The user id comes with each message of the connection.
    const std::array<std::string, 6> answer = {"1.0",
                                               id,
                                               allowed ? "200" : "400",
                                               allowed ? "OK" : "unknown key",
                                               allowed ? encode_key((*frames)[6]) : "",
                                               ""};
    for (std::size_t i = 0; i < answer.size(); ++i) {
      const int more = i + 1 < answer.size() ? ZMQ_SNDMORE : 0;
      if (zmq_send(handler_.handle(), answer[i].data(), answer[i].size(), more) < 0) break;
    }
  }
}

Context::Context(std::optional<Security> security, int io_threads)
    : impl_(std::make_unique<Impl>(io_threads)) {
  impl_->zmq.set(zmq::ctxopt::max_sockets, 4096);
  if (!security) return;
  decode_key(security->public_key, "the public key");
  decode_key(security->secret_key, "the secret key");
  if (!security->server_key.empty()) decode_key(security->server_key, "the server's public key");
  // Before any socket binds: without a handler ZeroMQ would let every key in.
  impl_->allow_list = std::make_unique<AllowList>(impl_->zmq, security->allowed_keys);
  impl_->security = std::move(security);
}

Context::~Context() = default;

}  // namespace waggle::bus
