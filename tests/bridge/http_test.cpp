// Targets, tags, positions and frames, without a socket.
#include "consumer/bridge/http.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/bridge/clients.h"
#include "consumer/bridge/event_stream.h"
#include "consumer/bridge/frame.h"
#include "consumer/bridge/routes.h"
#include "schemas/codec/base64.h"

using namespace waggle;
using namespace waggle::bridge;

TEST_CASE("http: a target is taken apart and decoded") {
  HttpRequest request;
  REQUIRE(parse_target("/v1/jobs?state=queued&limit=5&x=a%20b+c&&empty=", request));
  CHECK(request.path == "/v1/jobs");
  CHECK(request.parameter("state") == "queued");
  CHECK(request.parameter("x") == "a b c");
  CHECK(request.parameter("empty") == "");
  CHECK_FALSE(request.parameter("absent"));
}

TEST_CASE("http: broken escapes and control characters are no target") {
  HttpRequest request;
  for (const char* target : {"", "*", "http://x/", "/%", "/%4", "/%zz", "/%00", "/a?b=%0a", "/a%7f"}) {
    INFO(target);
    CHECK_FALSE(parse_target(target, request));
  }
}

TEST_CASE("http: If-None-Match finds a strong tag in a list, behind W/ and by a star") {
  CHECK(matches_etag("\"a\"", "\"a\""));
  CHECK(matches_etag("\"x\", W/\"a\"", "\"a\""));
  CHECK(matches_etag("*", "\"a\""));
  CHECK_FALSE(matches_etag("\"aa\", \"b\"", "\"a\""));
  CHECK_FALSE(matches_etag("", "\"a\""));
}

TEST_CASE("clients: known by token, else by address, of IPv6 by its network, and never by what they claim") {
  Settings settings;
  HttpRequest request;
  CHECK(client_of(settings, request, "192.0.2.1") == "192.0.2.1");
  CHECK(client_of(settings, request, "::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(client_of(settings, request, "2001:db8::1:2") == client_of(settings, request, "2001:db8::ffff"));
  CHECK(client_of(settings, request, "2001:db8::1") != client_of(settings, request, "2001:db8:0:1::1"));
  request.headers = {{"x-forwarded-for", "203.0.113.7"}, {"x-forwarded-for", "203.0.113.8 , 192.0.2.5 "}};
  CHECK(client_of(settings, request, "192.0.2.1") == "192.0.2.1");
  settings.behind_proxy = true;
  CHECK(client_of(settings, request, "127.0.0.1") == "192.0.2.5");
  request.headers = {{"authorization", "Bearer nectar"}};
  CHECK(client_of(settings, request, "127.0.0.1") == "127.0.0.1");
  settings.tokens = {Token{"nectar"}};
  CHECK(client_of(settings, request, "127.0.0.1") == "token nectar");
}

TEST_CASE("routes: every path knows its methods, and its captures are whole segments") {
  HttpRequest request;
  request.path = "/v1/jobs/abc/images/2";
  Found found = find_route(request);
  REQUIRE(found.route != nullptr);
  CHECK(request.captures == std::vector<std::string>{"abc", "2"});
  request.method = Method::post;
  found = find_route(request);
  CHECK(found.route == nullptr);
  CHECK(found.allow == "GET, HEAD");
  for (const char* path : {"/v1/jobs/", "/v1/jobs//stream", "/v1", "/v1/jobs/a/b", "/v1/jobs/a/stream/"}) {
    INFO(path);
    request.path = path;
    found = find_route(request);
    CHECK(found.route == nullptr);
    CHECK(found.allow.empty());
  }
}

TEST_CASE("stream: event ids are compared as numbers") {
  CHECK(std::is_lt(compare(EventId("9-0"), EventId("10-0"))));
  CHECK(std::is_lt(compare(EventId("10-2"), EventId("10-11"))));
  CHECK(std::is_eq(compare(EventId("10-2"), EventId("10-2"))));
  CHECK(std::is_lt(compare(EventId(), EventId("0-1"))));
}

TEST_CASE("stream: positions of many jobs survive the way through Last-Event-ID") {
  const std::vector<Position> positions{
      {EventId("17-1"), false}, {EventId(), false}, {EventId("18-0"), true}};
  const std::string text = to_text(positions);
  CHECK(text == "17-1,0,18-0!");
  const auto back = parse_positions(text, 3);
  REQUIRE(back.has_value());
  CHECK(to_text(*back) == text);
  for (const char* bad : {"", "17-1", "17-1,0", "17-1,0,18-0,1-1", "a,b,c", "1-1,,1-1", "1-1,0,!"}) {
    INFO(bad);
    CHECK_FALSE(parse_positions(bad, 3).has_value());
  }
}

TEST_CASE("stream: a completed event carries the first image and the way to all of them") {
  Event event;
  event.job = JobId("01890a5d-ac96-774b-bcce-b302099a8057");
  event.id = EventId("5-0");
  event.body = CompletedEvent{
      {ImageInfo{0, 7, OutputFormat::webp, 64, 64, 3}, ImageInfo{1, 8, OutputFormat::webp, 64, 64, 3}},
      7,
      1.5};
  const Frame frame = to_frame(event, "abc");
  CHECK(frame.name == "complete");
  CHECK(frame.last_line == "[DONE]");
  const auto data = nlohmann::json::parse(frame.data);
  CHECK(data["type"] == "complete");
  CHECK(data["image"] == codec::base64_encode("abc"));
  CHECK(data["format"] == "webp");
  CHECK(data["seed"] == 7);
  REQUIRE(data["images"].size() == 2);
  CHECK(data["images"][1]["url"] == "/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057/images/1");
}

TEST_CASE("stream: a message with line breaks stays on the one line of its end") {
  Event event;
  event.id = EventId("5-0");
  event.body = FailedEvent{Error{ErrorCode::out_of_memory, "too\nlarge\r\nid: 9"}};
  const Frame frame = to_frame(event, "");
  CHECK(frame.name == "error");
  CHECK(frame.last_line == "[ERROR] too large  id: 9");
  CHECK(frame.data.find('\n') == std::string::npos);
}
