// A blocking HTTP client on a bare socket, so that tests decide every byte that is sent and when.
//
// Every read has a deadline; what does not come in time throws, which fails the test.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace waggle::testing {

struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct SseEvent {
  std::string id, event, data;
  bool has_retry = false;
  bool operator==(const SseEvent&) const = default;
};

class HttpClient {
 public:
  explicit HttpClient(int port, int receive_buffer_bytes = 0);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  void send(std::string_view bytes);  ///< throws when the peer has closed
  /// Sends one request with Host and, for a body, Content-Length and Content-Type.
  HttpReply ask(std::string_view method, std::string_view target, std::string_view body = "",
                std::string_view more_headers = "");
  /// The next response. `head` says that it has no body whatever its header says.
  HttpReply read_reply(bool head = false);
  HttpReply read_header();
  /// The next event of a stream; comments are skipped. Nothing at the stream's end.
  std::optional<SseEvent> next_event(std::chrono::milliseconds within = std::chrono::seconds(10));
  /// The next comment line of a stream, whatever events come before it.
  std::string next_comment();
  /// Whether the peer closes, after at most this many more bytes, within the time.
  bool closes(std::chrono::milliseconds within = std::chrono::seconds(10));
  void close();

 private:
  bool fill(std::chrono::milliseconds within);  ///< false at the end; throws when nothing comes
  std::string take_line(std::chrono::milliseconds within);
  std::optional<std::string> sse_line(std::chrono::milliseconds within);

  int socket_ = -1;
  std::string buffer_;
  std::string stream_;  ///< decoded from chunks
  bool chunked_ = false, ended_ = false;
};

}  // namespace waggle::testing
