// A poll loop over all wires and their connections.
#include "tests/chaos/wires.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace waggle::chaos {
namespace {

constexpr std::size_t kHeld = 1 << 20;  // bytes one way that wait for a slow end

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

Address address_of(const Place& place) {
  Address address;
  if (place.path.empty()) {
    sockaddr_in internet{};
    internet.sin_family = AF_INET;
    internet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    internet.sin_port = htons(static_cast<std::uint16_t>(place.port));
    std::memcpy(&address.bytes, &internet, sizeof internet);
    address.size = sizeof internet;
  } else {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    if (place.path.size() >= sizeof local.sun_path)
      throw std::runtime_error("too long for a socket: " + place.path);
    std::memcpy(local.sun_path, place.path.c_str(), place.path.size() + 1);
    std::memcpy(&address.bytes, &local, sizeof local);
    address.size = sizeof local;
  }
  return address;
}

int new_socket(const Place& place) {
  const int fd = ::socket(place.path.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("no socket for a wire");
  return fd;
}

void ready(int fd) {
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // of no effect on a Unix socket
}

/// False at the end of the stream.
bool read_into(int fd, std::string& held) {
  char bytes[65536];
  const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
  if (got > 0) held.append(bytes, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool write_from(int fd, std::string& held) {
  if (held.empty()) return true;
  const ssize_t sent = ::send(fd, held.data(), held.size(), MSG_NOSIGNAL);
  if (sent > 0) held.erase(0, static_cast<std::size_t>(sent));
  return sent > 0 || (sent < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

Wires::Wires() {
  if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe for the wires");
  thread_ = std::thread([this] { run(); });
}

Wires::~Wires() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  (void)!::write(wake_[1], "!", 1);
  thread_.join();
  for (Wire& wire : wires_) {
    close_lines(wire);
    ::close(wire.listener);
  }
  for (const int end : wake_) ::close(end);
}

Place Wires::lay(Place front, Place back) {
  const int listener = new_socket(front);
  const Address address = address_of(front);
  if (::bind(listener, address.get(), address.size) != 0 || ::listen(listener, 128) != 0) {
    throw std::runtime_error("a wire cannot listen");
  }
  if (front.path.empty()) {
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
    front.port = ntohs(bound.sin_port);
  }
  ready(listener);
  const std::lock_guard lock(mutex_);
  wires_.push_back({std::move(back), listener, {}, {}});
  (void)!::write(wake_[1], "!", 1);
  return front;
}

int Wires::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(wires_.size());
}

void Wires::cut(int wire) {
  const std::lock_guard lock(mutex_);
  close_lines(wires_.at(static_cast<std::size_t>(wire)));
}

void Wires::hang(int wire, std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  wires_.at(static_cast<std::size_t>(wire)).hangs_until = Clock::now() + time;
}

void Wires::close_lines(Wire& wire) {
  for (const Line& line : wire.lines) {
    ::close(line.client);
    ::close(line.server);
  }
  wire.lines.clear();
}

void Wires::take(Wire& wire) {
  const int client = ::accept4(wire.listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = new_socket(wire.back);
  const Address address = address_of(wire.back);
  // The server may be down: then the client sees its connection closed, as it would without a wire.
  if (::connect(server, address.get(), address.size) != 0) {
    ::close(client);
    ::close(server);
    return;
  }
  ready(client);
  ready(server);
  wire.lines.push_back({client, server, {}, {}});
}

bool Wires::carry(Line& line, short client_events, short server_events) {
  constexpr short kIn = POLLIN | POLLHUP | POLLERR;
  if ((client_events & kIn) != 0 && !read_into(line.client, line.to_server)) return false;
  if ((server_events & kIn) != 0 && !read_into(line.server, line.to_client)) {
    write_from(line.client, line.to_client);  // its last words
    return false;
  }
  return write_from(line.server, line.to_server) && write_from(line.client, line.to_client);
}

void Wires::run() {
  std::vector<pollfd> watched;
  while (true) {
    watched.assign(1, {wake_[0], POLLIN, 0});
    {
      const std::lock_guard lock(mutex_);
      if (closing_) return;
      const auto now = Clock::now();
      for (Wire& wire : wires_) {
        const bool hangs = now < wire.hangs_until;
        if (!hangs && wire.hangs_until != Clock::time_point{}) {
          wire.hangs_until = {};
          close_lines(wire);
        }
        // A descriptor below zero is left out.
        watched.push_back({hangs ? -1 : wire.listener, POLLIN, 0});
        for (const Line& line : wire.lines) {
          const auto events = [](const std::string& in, const std::string& out) {
            return static_cast<short>((in.size() < kHeld ? POLLIN : 0) | (out.empty() ? 0 : POLLOUT));
          };
          watched.push_back({hangs ? -1 : line.client, events(line.to_server, line.to_client), 0});
          watched.push_back({hangs ? -1 : line.server, events(line.to_client, line.to_server), 0});
        }
      }
    }
    ::poll(watched.data(), watched.size(), 20);
    char bytes[64];
    while (::read(wake_[0], bytes, sizeof bytes) > 0) {
    }
    const std::lock_guard lock(mutex_);
    // Found again by their descriptors: lines may have been cut, and wires laid, meanwhile.
    std::size_t at = 1;
    const auto events_of = [&](int fd) {
      for (std::size_t i = at; i < watched.size(); ++i) {
        if (watched[i].fd == fd) {
          at = i;
          return watched[i].revents;
        }
      }
      return short{0};
    };
    for (Wire& wire : wires_) {
      if (Clock::now() < wire.hangs_until) continue;
      if ((events_of(wire.listener) & POLLIN) != 0) take(wire);
      for (auto line = wire.lines.begin(); line != wire.lines.end();) {
        const short client = events_of(line->client), server = events_of(line->server);
        if (carry(*line, client, server)) {
          ++line;
          continue;
        }
        ::close(line->client);
        ::close(line->server);
        line = wire.lines.erase(line);
      }
    }
  }
}

}  // namespace waggle::chaos
