// The sockets of the queue: publish, subscribe, request, serve. ZeroMQ is seen in consumer/bus alone.
//
// Every message is two frames: a topic (UTF-8, ends in '/') and one MessagePack map. A publisher never
// blocks: what a slow subscriber does not take in time is lost, which the ledger makes harmless. A socket
// may be made on one thread and handed to another, but is used by one at a time; the Context is shared.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace waggle::bus {

struct Message {
  std::string topic;
  std::string payload;
};

/// A CURVE key pair, Z85 text (40 characters each), and the keys of the other side. Absent: plain sockets.
struct Security {
  std::string public_key, secret_key;     ///< of this process
  std::string server_key;                 ///< clients: the queen's public key
  std::vector<std::string> allowed_keys;  ///< servers: clients that may connect; empty with keys set: nobody
  std::vector<std::string> unlimited_keys = {};  ///< of those: such as may send any number of requests
};

/// A CURVE key pair as Z85 text. Throws std::runtime_error when libzmq has no CURVE.
struct KeyPair {
  std::string public_key, secret_key;
};
KeyPair make_key_pair();

/// Where a queen listens, and where the others connect. Several queens: several of these.
struct Endpoints {
  std::string requests = "tcp://127.0.0.1:5550";  ///< ROUTER
  std::string publish = "tcp://127.0.0.1:5551";   ///< XPUB: jobs/, control/, events/, workers/
  std::string collect = "tcp://127.0.0.1:5552";   ///< XSUB: where workers publish to
};

/// ZeroMQ's context: I/O threads and the limits of all its sockets. Outlives them.
class Context {
 public:
  explicit Context(std::optional<Security> security = {}, int io_threads = 1);
  ~Context();
  struct Impl;
  [[nodiscard]] Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Publishes to every connected queen's proxy (or, inside a queen, into its own proxy). Drops when nobody
/// takes it.
class Publisher {
 public:
  Publisher(Context& context, const std::vector<std::string>& connect_to);
  ~Publisher();
  Publisher(Publisher&&) noexcept;
  void send(std::string_view topic, std::string_view payload);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Subscriber {
 public:
  Subscriber(Context& context, const std::vector<std::string>& connect_to);
  ~Subscriber();
  Subscriber(Subscriber&&) noexcept;
  void subscribe(std::string_view topic_prefix);
  void unsubscribe(std::string_view topic_prefix);
  /// The next well-formed message, or nothing after the time. Malformed ones are counted and dropped.
  std::optional<Message> receive(std::chrono::milliseconds timeout);
  [[nodiscard]] std::uint64_t malformed() const;
  [[nodiscard]] int descriptor()
      const;  ///< for an event loop: readable means "call receive with 0 until empty"

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The queen's side: ROUTER.
class RequestServer {
 public:
  struct Incoming {
    std::string client;  ///< ZeroMQ routing id, opaque
    std::string sender;  ///< who it is over all his connections: his CURVE key, else the routing id
    std::string payload;
  };
  /// Binds; `endpoint` may end in ":*" for a free port. Throws std::runtime_error naming the endpoint.
  RequestServer(Context& context, const std::string& endpoint);
  ~RequestServer();
  [[nodiscard]] std::string endpoint() const;  ///< as bound, with the real port
  std::optional<Incoming> receive(std::chrono::milliseconds timeout);
  void reply(const std::string& client, std::string_view payload);
  [[nodiscard]] std::uint64_t malformed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A client's side: DEALER, connected to all queens; a request goes to one that is alive, a reply is matched
/// by its id.
class RequestClient {
 public:
  RequestClient(Context& context, const std::vector<std::string>& connect_to);
  ~RequestClient();
  RequestClient(RequestClient&&) noexcept;
  /// Sends without waiting for the answer. Errors: unavailable when no queen takes it within the time.
  Status send(std::string_view payload, std::chrono::milliseconds patience = std::chrono::milliseconds(1000));
  /// The next answer's payload, or nothing after the time.
  std::optional<std::string> receive(std::chrono::milliseconds timeout);
  [[nodiscard]] std::uint64_t malformed() const;
  [[nodiscard]] int descriptor() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The queen's event proxy: XSUB (workers publish in) to XPUB (everyone subscribes), plus an inproc entrance
/// for the queen itself. Runs its own thread from construction to destruction.
class EventProxy {
 public:
  EventProxy(Context& context, const std::string& collect, const std::string& publish);
  ~EventProxy();
  [[nodiscard]] std::string collect_endpoint() const;
  [[nodiscard]] std::string publish_endpoint() const;
  [[nodiscard]] std::string inproc_endpoint() const;  ///< a Publisher of the queen connects here
  /// Dropped, because they were no event or no subscription. From any thread.
  [[nodiscard]] std::uint64_t malformed_events() const;
  [[nodiscard]] std::uint64_t malformed_subscriptions() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace waggle::bus
