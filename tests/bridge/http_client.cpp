// The client: poll, recv, and as much of HTTP/1.1 as the bridge speaks.
#include "tests/bridge/http_client.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace waggle::testing {
namespace {

constexpr std::chrono::seconds kPatience{10};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

HttpClient::HttpClient(int port, int receive_buffer_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    close();
    throw std::runtime_error("cannot connect to the bridge");
  }
}

HttpClient::~HttpClient() { close(); }

HttpClient::HttpClient(HttpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      buffer_(std::move(other.buffer_)),
      stream_(std::move(other.stream_)),
      chunked_(other.chunked_),
      ended_(other.ended_) {}

void HttpClient::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void HttpClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("the bridge has closed the connection");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

HttpReply HttpClient::ask(std::string_view method, std::string_view target, std::string_view body,
                          std::string_view more_headers) {
  std::string request = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n";
  if (!body.empty() || method == "POST") {
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    if (more_headers.find("Content-Type") == std::string_view::npos)
      request += "Content-Type: application/json\r\n";
  }
  send(request + std::string(more_headers) + "\r\n" + std::string(body));
  return read_reply(method == "HEAD");
}

bool HttpClient::fill(std::chrono::milliseconds within) {
  pollfd waiting{socket_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(within.count())) <= 0)
    throw std::runtime_error("the bridge says nothing");
  char bytes[16 * 1024];
  const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string HttpClient::take_line(std::chrono::milliseconds within) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill(within)) throw std::runtime_error("the bridge closed in mid-line");
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

HttpReply HttpClient::read_header() {
  HttpReply reply;
  const std::string first = take_line(kPatience);
  if (!first.starts_with("HTTP/1.")) throw std::runtime_error("not a response: " + first);
  reply.status = std::stoi(first.substr(9, 3));
  for (std::string line = take_line(kPatience); !line.empty(); line = take_line(kPatience)) {
    const auto colon = line.find(':');
    reply.headers[lower(line.substr(0, colon))] = line.substr(line.find_first_not_of(' ', colon + 1));
  }
  chunked_ = reply.headers.contains("transfer-encoding");
  return reply;
}

HttpReply HttpClient::read_reply(bool head) {
  HttpReply reply = read_header();
  if (head || chunked_ || !reply.headers.contains("content-length")) return reply;
  const std::size_t size = std::stoul(reply.headers["content-length"]);
  while (buffer_.size() < size) {
    if (!fill(kPatience)) throw std::runtime_error("the bridge closed in mid-body");
  }
  reply.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return reply;
}

std::optional<std::string> HttpClient::sse_line(std::chrono::milliseconds within) {
  std::size_t end = 0;
  while ((end = stream_.find('\n')) == std::string::npos) {
    if (ended_) return std::nullopt;
    if (!chunked_) {
      ended_ = !fill(within);
      stream_ += std::exchange(buffer_, {});
      continue;
    }
    const std::size_t size = std::stoul(take_line(within), nullptr, 16);
    while (buffer_.size() < size + 2) {
      if (!fill(within)) throw std::runtime_error("the bridge closed in mid-chunk");
    }
    stream_ += buffer_.substr(0, size);
    buffer_.erase(0, size + 2);
    ended_ = size == 0;
  }
  std::string line = stream_.substr(0, end);
  stream_.erase(0, end + 1);
  return line;
}

std::optional<SseEvent> HttpClient::next_event(std::chrono::milliseconds within) {
  SseEvent event;
  bool any = false;
  while (auto line = sse_line(within)) {
    if (line->empty() && any) return event;
    if (line->empty() || line->starts_with(':')) continue;
    any = true;
    const auto colon = line->find(": ");
    const std::string key = line->substr(0, colon), value = line->substr(colon + 2);
    if (key == "id") event.id = value;
    if (key == "event") event.event = value;
    if (key == "data") event.data = value;
    if (key == "retry") event.has_retry = true;
  }
  return std::nullopt;
}

std::string HttpClient::next_comment() {
  while (auto line = sse_line(kPatience)) {
    if (line->starts_with(':')) return *line;
  }
  throw std::runtime_error("the stream ended without a comment");
}

bool HttpClient::closes(std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  try {
    while (std::chrono::steady_clock::now() < until) {
      if (!fill(std::chrono::duration_cast<std::chrono::milliseconds>(until -
                                                                      std::chrono::steady_clock::now()))) {
        return true;
      }
    }
  } catch (const std::runtime_error&) {
  }
  return false;
}

}  // namespace waggle::testing
