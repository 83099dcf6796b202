// HTTP/1.1 over Boost.Beast. Every read and write has its time limit; what a client may not send is refused
// before it is read, and what it is allowed to send is bounded in size.
#include "consumer/bridge/connection.h"

#include <exception>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <spdlog/spdlog.h>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/clients.h"
#include "consumer/bridge/event_stream.h"
#include "consumer/bridge/problem.h"

namespace waggle::bridge {
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxIgnoredBody = 64 * 1024;  ///< on a route that reads none
constexpr std::size_t kBodiesAtOnce = 4;  ///< times max_body_bytes: the memory for all bodies together
constexpr std::chrono::milliseconds kLinger{1000};

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::get;
    case http::verb::head:
      return Method::head;
    case http::verb::post:
      return Method::post;
    case http::verb::delete_:
      return Method::del;
    case http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string_view view(boost::string_view text) { return {text.data(), text.size()}; }
boost::string_view view(std::string_view text) { return {text.data(), text.size()}; }

/// What to say to a client whose message broke the rules; status 0: nothing, it has gone.
HttpResponse answer_to(const error_code& failure, const Settings& settings) {
  if (failure == http::error::body_limit) {
    const auto mib = std::to_string(settings.max_body_bytes >> 20);
    return problem(Error{ErrorCode::payload_too_large, "a body may have at most " + mib + " MiB"});
  }
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return problem(431, "header_too_large", "the header is too large");
  }
  if (failure == asio::error::timed_out) return problem(408, "request_timeout", "the request took too long");
  HttpResponse silent;
  silent.status = 0;
  const bool broken = failure.category() == make_error_code(http::error::bad_version).category() &&
                      failure != http::error::end_of_stream && failure != http::error::partial_message;
  return broken ? problem(400, "malformed_message", "this is not HTTP/1.1") : silent;
}

class HttpConnection final : public Connection,
                             public StreamSink,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(asio::ip::tcp::socket socket, Services& services, ConnectionLimits& limits)
      : socket_(std::move(socket)),
        buffer_(services.settings.max_header_bytes + 64 * 1024),
        wake_(services.hub.io()),
        services_(services),
        limits_(limits) {}

  asio::awaitable<void> run() override {
    const auto self = shared_from_this();
    try {
      bool first = true;
      for (;;) {
        const bool again = co_await serve_one(first);
        if (!again || limits_.draining) break;
        first = false;
      }
    } catch (const std::exception& error) {
      spdlog::error("a connection ended by an exception: {}", error.what());
    }
    close();
  }

  void close_if_idle() override {
    if (!answering_) close();
  }
  void close() override {
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    lift_limit();
  }

  // --- StreamSink ---
  asio::awaitable<bool> write(std::string_view before, std::string_view payload,
                              std::string_view after) override {
    const std::size_t size = before.size() + payload.size() + after.size();
    char head[24];
    const int head_size = chunked_ ? std::snprintf(head, sizeof head, "%zx\r\n", size) : 0;
    const std::array<asio::const_buffer, 5> pieces{
        asio::buffer(head, static_cast<std::size_t>(head_size)), asio::buffer(before.data(), before.size()),
        asio::buffer(payload.data(), payload.size()), asio::buffer(after.data(), after.size()),
        asio::buffer("\r\n", chunked_ ? 2 : 0)};
    limit_writing();
    error_code failure;
    co_await asio::async_write(socket_, pieces, asio::redirect_error(asio::use_awaitable, failure));
    lift_limit();
    co_return !failure;
  }
  [[nodiscard]] bool closed() const override { return gone_; }

 private:
  /// From now on, until the next call: a read that takes longer finds the end of the stream. What has to be
  /// said about it can still be written.
  void limit_reading(std::chrono::milliseconds time) {
    timed_out_ = false;
    set_limit(time, [this] {
      timed_out_ = true;
      error_code ignored;
      socket_.shutdown(asio::ip::tcp::socket::shutdown_receive, ignored);
    });
  }
  void limit_writing() {
    set_limit(services_.settings.write_timeout, [this] { close(); });
  }
  template <class Action>
  void set_limit(std::chrono::milliseconds time, Action action) {
    lift_limit();
    // A timer of its own for each limit: one that has just expired finds that it is no longer the one in
    // force.
    limit_ = std::make_shared<asio::steady_timer>(socket_.get_executor(), time);
    limit_->async_wait(
        [weak = weak_from_this(), timer = std::weak_ptr(limit_), action](const error_code& lifted) {
          const auto self = weak.lock();
          if (self && !lifted && !timer.expired()) action();
        });
  }
  void lift_limit() { limit_.reset(); }

  using Parser = http::request_parser<http::string_body>;

  /// One request and its answer. False when the connection is to end.
  asio::awaitable<bool> serve_one(bool first) {
    const Settings& settings = services_.settings;
    error_code failure;
    answering_ = false;
    if (buffer_.size() == 0) {
      limit_reading(first ? settings.header_timeout : settings.idle_timeout);
      const std::size_t got = co_await socket_.async_read_some(
          buffer_.prepare(4096), asio::redirect_error(asio::use_awaitable, failure));
      if (failure) co_return false;
      buffer_.commit(got);
    }
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(settings.max_header_bytes));
    parser.body_limit(settings.max_body_bytes);
    limit_reading(settings.header_timeout);
    co_await http::async_read_header(socket_, buffer_, parser,
                                     asio::redirect_error(asio::use_awaitable, failure));
    if (failure && timed_out_) failure = asio::error::timed_out;
    if (failure) co_return co_await refuse_and_close(answer_to(failure, settings));
    answering_ = true;
    const auto begun = Clock::now();
    HttpRequest request;
    if (!read_header(parser, request))
      co_return co_await refuse_and_close(problem(400, "malformed_message", "bad target"));
    const Found found = find_route(request);
    const std::string_view route = found.route != nullptr ? found.route->pattern : "none";
    auto early = preflight(settings, request);
    if (!early) early = refuse(settings, request, found);
    const std::size_t expected =
        parser.is_done() ? 0 : parser.content_length().value_or(settings.max_body_bytes);
    if (!early) early = slow_down(services_.limiter, settings, request, peer());
    if (const Token* token = token_of(settings, request)) request.tenant = token->tenant;
    if (!early) early = refuse_body(parser, *found.route, expected);
    if (early) {
      services_.metrics.answered(route, name(request.method), early->status, Clock::now() - begun);
      if (!parser.is_done()) co_return co_await refuse_and_close(std::move(*early));
      co_return co_await write_response(std::move(*early), parser);
    }
    const BodyBudget budget(limits_, expected);
    if (!parser.is_done()) {
      if (lower(view(parser.get()[http::field::expect])) == "100-continue") {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        co_await asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()),
                                   asio::redirect_error(asio::use_awaitable, failure));
        if (failure) co_return false;
      }
      limit_reading(settings.body_timeout);
      co_await http::async_read(socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, failure));
      if (failure && timed_out_) failure = asio::error::timed_out;
      if (failure) co_return co_await refuse_and_close(answer_to(failure, settings));
    }
    lift_limit();
    request.body = std::move(parser.get().body());
    const Method method = request.method;
    HttpResponse response = co_await answer(*found.route, std::move(request));
    if (response.stream && limits_.open_streams >= settings.max_streams) {
      response = problem(Error{ErrorCode::unavailable, "too many streams are open", {}, 5.0});
    }
    services_.metrics.answered(route, name(method), response.status, Clock::now() - begun);
    if (response.stream && method != Method::head)
      co_return co_await stream_response(std::move(response), parser);
    co_return co_await write_response(std::move(response), parser);
  }

  /// The address at the other end; empty when it has gone meanwhile.
  std::string peer() const {
    error_code failure;
    const auto endpoint = socket_.remote_endpoint(failure);
    return failure ? std::string() : endpoint.address().to_string();
  }

  std::optional<HttpResponse> refuse_body(const Parser& parser, const Route& route,
                                          std::size_t expected) const {
    if (parser.is_done()) return std::nullopt;
    if (!route.reads_json && expected > kMaxIgnoredBody) {
      return problem(Error{ErrorCode::payload_too_large, "this route reads no body"});
    }
    if (limits_.body_bytes + expected > kBodiesAtOnce * services_.settings.max_body_bytes) {
      return problem(Error{ErrorCode::unavailable, "too many large requests at once", {}, 2.0});
    }
    return std::nullopt;
  }

  static bool read_header(const Parser& parser, HttpRequest& request) {
    const auto& message = parser.get();
    request.method = method_of(message.method());
    for (const auto& field : message) {
      request.headers.emplace_back(lower(view(field.name_string())), std::string(view(field.value())));
    }
    return parse_target(view(message.target()), request);
  }

  asio::awaitable<HttpResponse> answer(const Route& route, HttpRequest request) {
    try {
      co_return co_await route.handle(services_, std::move(request));
    } catch (const std::exception& error) {
      spdlog::error("{} failed: {}", route.pattern, error.what());
    }
    co_return problem(Error{ErrorCode::internal, "the bridge failed on this request"});
  }

  template <class Message>
  void set_headers(Message& message, const HttpResponse& response) const {
    message.result(static_cast<unsigned>(response.status));
    message.reason(view(reason(response.status)));
    message.set(http::field::server, "waggle");
    message.set(http::field::date, http_date());
    message.set("X-Content-Type-Options", "nosniff");
    if (!response.content_type.empty()) message.set(http::field::content_type, response.content_type);
    for (const auto& [key, value] : response.headers) message.set(key, value);
    if (const std::string& origin = services_.settings.cors_origin; !origin.empty()) {
      message.set(http::field::access_control_allow_origin, origin);
      message.set(http::field::access_control_expose_headers, "Location, ETag, Retry-After");
      if (origin != "*") message.set(http::field::vary, "Origin");
    }
  }

  template <class Message>
  asio::awaitable<bool> send(Message& message) {
    error_code failure;
    limit_writing();
    co_await http::async_write(socket_, message, asio::redirect_error(asio::use_awaitable, failure));
    co_return !failure;
  }

  asio::awaitable<bool> write_response(HttpResponse response, const Parser& parser) {
    const bool keep = parser.keep_alive() && !limits_.draining;
    if (parser.get().method() == http::verb::head || response.status == 304 || response.status == 204) {
      http::response<http::empty_body> message;
      message.version(parser.get().version());
      set_headers(message, response);
      if (response.status == 200) message.content_length(response.body.size());
      message.keep_alive(keep);
      co_return co_await send(message) && keep;
    }
    http::response<http::string_body> message;
    message.version(parser.get().version());
    set_headers(message, response);
    message.body() = std::move(response.body);
    message.prepare_payload();
    message.keep_alive(keep);
    co_return co_await send(message) && keep;
  }

  /// Answers a request that is not read to its end. What still arrives is thrown away for a moment: closing
  /// at once would reset the connection, and the client would never see the answer.
  asio::awaitable<bool> refuse_and_close(HttpResponse response) {
    if (response.status == 0) co_return false;
    http::response<http::string_body> message;
    set_headers(message, response);
    message.body() = std::move(response.body);
    message.prepare_payload();
    message.keep_alive(false);
    if (!co_await send(message)) co_return false;
    error_code failure;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
    limit_reading(kLinger);
    std::array<char, 16 * 1024> waste;
    while (!failure) {
      co_await socket_.async_read_some(asio::buffer(waste),
                                       asio::redirect_error(asio::use_awaitable, failure));
    }
    co_return false;
  }

  asio::awaitable<bool> stream_response(HttpResponse response, const Parser& parser) {
    chunked_ = parser.get().version() >= 11;
    http::response<http::empty_body> header;
    header.version(parser.get().version());
    set_headers(header, response);
    header.keep_alive(false);
    if (chunked_) header.chunked(true);
    http::response_serializer<http::empty_body> serializer(header);
    error_code failure;
    limit_writing();
    co_await http::async_write_header(socket_, serializer,
                                      asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return false;
    lift_limit();
    ++limits_.open_streams;
    services_.metrics.streams(limits_.open_streams);
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->watch(); }, asio::detached);
    const std::size_t written =
        co_await stream_events(*response.stream, services_.hub, services_.settings, *this, wake_);
    services_.metrics.sent_events(written);
    --limits_.open_streams;
    services_.metrics.streams(limits_.open_streams);
    if (chunked_ && !gone_ && !services_.hub.stopping()) {
      chunked_ = false;
      co_await write("0\r\n\r\n", "", "");
    }
    co_return false;
  }

  /// Notices at once that the reader of a stream has left. What it sends instead of leaving is ignored.
  asio::awaitable<void> watch() {
    const auto self = shared_from_this();
    std::array<char, 1024> ignored;
    error_code failure;
    while (!failure) {
      co_await socket_.async_read_some(asio::buffer(ignored),
                                       asio::redirect_error(asio::use_awaitable, failure));
    }
    gone_ = true;
    wake_.set();
  }

  asio::ip::tcp::socket socket_;
  beast::flat_buffer buffer_;
  std::shared_ptr<asio::steady_timer> limit_;  ///< of the read or write in hand
  Wake wake_;
  Services& services_;
  ConnectionLimits& limits_;
  bool answering_ = false;  ///< between a request's header and the end of its answer
  bool chunked_ = false;
  bool gone_ = false;
  bool timed_out_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, Services& services,
                                            ConnectionLimits& limits) {
  return std::make_shared<HttpConnection>(std::move(socket), services, limits);
}

}  // namespace waggle::bridge
