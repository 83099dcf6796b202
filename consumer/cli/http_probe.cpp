// Plain sockets.
#include "consumer/cli/http_probe.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace waggle::cli {

namespace {

class Socket {
 public:
  Socket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
  }
  ~Socket() { close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

sockaddr_in address_of(std::string_view host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  // A bridge that listens everywhere answers on loopback too.
  const std::string reachable(host == "0.0.0.0" || host == "localhost" ? "127.0.0.1" : host);
  inet_pton(AF_INET, reachable.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

int free_port() {
  const Socket socket;
  sockaddr_in address = address_of("127.0.0.1", 0);
  socklen_t size = sizeof address;
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "no free port");
  }
  return ntohs(address.sin_port);
}

bool answers_ok(std::string_view host, int port, std::string_view path) {
  const Socket socket;
  const timeval second{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  const sockaddr_in address = address_of(host, port);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  const std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
                              "\r\nConnection: close\r\n\r\n";
  if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return false;
  }
  char head[16];
  std::size_t have = 0;
  while (have < 12) {
    const ssize_t got = recv(socket.get(), head + have, sizeof head - have, 0);
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return std::string_view(head, 12) == "HTTP/1.1 200";
}

}  // namespace waggle::cli
