// What a client may do to a connection: half requests, garbage, bodies that are too large, too many of
// everything.
#include <random>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/bridge/hive.h"

using namespace waggle;
using namespace waggle::testing;
using namespace std::chrono_literals;

namespace {

/// No queen and no Redis: these connections never get that far.
class Alone {
 public:
  explicit Alone(bridge::Settings settings = {}) : server_(with_free_port(std::move(settings))) {
    thread_ = std::thread([this] { server_.run(); });
  }
  ~Alone() {
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] HttpClient client() const { return HttpClient(server_.port()); }

 private:
  static bridge::Settings with_free_port(bridge::Settings settings) {
    settings.port = 0;
    settings.redis.port = 1;  // nobody listens there
    settings.requests = {"tcp://127.0.0.1:1"};
    settings.events = {"tcp://127.0.0.1:1"};
    settings.queen_timeout = 200ms;
    return settings;
  }
  bridge::Server server_;
  std::thread thread_;
};

const std::string kPost = "POST /v1/jobs HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";

}  // namespace

TEST_CASE("connection: requests sent in one go are answered in order") {
  Alone bridge;
  HttpClient http = bridge.client();
  const std::string one = "GET /health HTTP/1.1\r\nHost: test\r\n\r\n",
                    other = "GET /nowhere HTTP/1.1\r\nHost: test\r\n\r\n";
  http.send(one + other + one);
  CHECK(http.read_reply().status == 200);
  CHECK(http.read_reply().status == 404);
  CHECK(http.read_reply().status == 200);
}

TEST_CASE("connection: a request that comes byte by byte is a request") {
  Alone bridge;
  HttpClient http = bridge.client();
  for (const char c : std::string_view("GET /health HTTP/1.1\r\nHost: test\r\n\r\n")) http.send({&c, 1});
  CHECK(http.read_reply().status == 200);
}

TEST_CASE("connection: HTTP/1.0 and Connection: close end the connection after the answer") {
  Alone bridge;
  HttpClient old = bridge.client();
  old.send("GET /health HTTP/1.0\r\n\r\n");
  CHECK(old.read_reply().status == 200);
  CHECK(old.closes());
  HttpClient http = bridge.client();
  CHECK(http.ask("GET", "/health", "", "Connection: close\r\n").status == 200);
  CHECK(http.closes());
}

TEST_CASE("connection: a body of 1 GB is refused when it is announced") {
  Alone bridge;
  HttpClient http = bridge.client();
  http.send(kPost + "Content-Length: 1073741824\r\n\r\n");
  const HttpReply reply = http.read_reply();
  CHECK(reply.status == 413);
  CHECK(nlohmann::json::parse(reply.body).at("code") == "payload_too_large");
  CHECK(http.closes());
}

TEST_CASE("connection: a client that asks before it sends 1 GB is told not to") {
  Alone bridge;
  HttpClient http = bridge.client();
  http.send(kPost + "Content-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n");
  CHECK(http.read_reply().status == 413);
}

TEST_CASE("connection: Expect: 100-continue is answered before the body is sent") {
  Alone bridge;
  HttpClient http = bridge.client();
  http.send(kPost + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(http.read_header().status == 100);
  http.send("{}");
  CHECK(http.read_reply().status == 400);
}

TEST_CASE("connection: a chunked body is refused when it grows too large") {
  bridge::Settings settings;
  settings.max_body_bytes = 10'000;
  Alone bridge(settings);
  HttpClient http = bridge.client();
  http.send(kPost + "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 12; ++i) http.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  CHECK(http.read_reply().status == 413);
  CHECK(http.closes());
}

TEST_CASE("connection: a small chunked body is read") {
  Alone bridge;
  HttpClient http = bridge.client();
  http.send(kPost + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n");
  CHECK(http.read_reply().status == 400);
  CHECK(http.ask("GET", "/health").status == 200);
}

TEST_CASE("connection: a header without end is cut off at its limit") {
  Alone bridge;
  HttpClient http = bridge.client();
  http.send("GET /health HTTP/1.1\r\nX-Long: " + std::string(40'000, 'a'));
  CHECK(http.read_reply().status == 431);
  CHECK(http.closes());
}

TEST_CASE("connection: what is not HTTP is told so or hung up on, and the bridge lives") {
  Alone bridge;
  for (const std::string& text :
       {std::string("hello\r\n\r\n"), std::string("GET\r\n\r\n"), std::string(100, '\0'),
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("GET /%zz HTTP/1.1\r\n\r\n"),
        std::string("POST /v1/jobs HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
        std::string("POST /v1/jobs HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        std::string("POST /v1/jobs HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")}) {
    INFO(text);
    HttpClient http = bridge.client();
    http.send(text);
    const int status = http.read_reply().status;
    CHECK((status == 400 || status == 413));
    CHECK(http.closes());
  }
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    HttpClient http = bridge.client();
    std::string noise(1 + random() % 2000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    if (round % 3 == 0) noise.insert(0, "POST /v1/jobs HTTP/1.1\r\n");
    try {
      http.send(noise);
    } catch (const std::runtime_error&) {
      continue;  // refused before all of it was sent
    }
  }
  CHECK(bridge.client().ask("GET", "/health").status == 200);
}

TEST_CASE("connection: every prefix of a request, then a hang-up, harms nobody") {
  Alone bridge;
  const std::string request = kPost + "Content-Length: 12\r\n\r\n{\"a\":\"bcde\"}";
  for (std::size_t size = 0; size < request.size(); ++size) bridge.client().send(request.substr(0, size));
  CHECK(bridge.client().ask("GET", "/health").status == 200);
}

TEST_CASE("connection: a client that dawdles over its header or its body is timed out") {
  bridge::Settings settings;
  settings.header_timeout = 150ms;
  settings.body_timeout = 150ms;
  settings.idle_timeout = 150ms;
  Alone bridge(settings);
  HttpClient half = bridge.client();
  half.send("GET /health HT");
  CHECK(half.read_reply().status == 408);
  CHECK(half.closes());
  HttpClient body = bridge.client();
  body.send(kPost + "Content-Length: 100\r\n\r\n{");
  CHECK(body.read_reply().status == 408);
  HttpClient silent = bridge.client();
  CHECK(silent.closes());
  HttpClient idle = bridge.client();
  CHECK(idle.ask("GET", "/health").status == 200);
  CHECK(idle.closes());
}

TEST_CASE("connection: one more than the maximum is turned away, and let in when another has left") {
  bridge::Settings settings;
  settings.max_connections = 2;
  Alone bridge(settings);
  HttpClient one = bridge.client(), two = bridge.client();
  CHECK(one.ask("GET", "/health").status == 200);
  CHECK(two.ask("GET", "/health").status == 200);
  CHECK(bridge.client().read_reply().status == 503);
  two.close();
  const auto until = std::chrono::steady_clock::now() + 10s;
  int status = 503;
  while (status == 503 && std::chrono::steady_clock::now() < until) {
    HttpClient next = bridge.client();
    try {
      status = next.ask("GET", "/health").status;
    } catch (const std::runtime_error&) {
      // turned away before it could ask
    }
  }
  CHECK(status == 200);
}

TEST_CASE("connection: without a queen and Redis every route says so in time") {
  Alone bridge;
  HttpClient http = bridge.client();
  const HttpReply submit = http.ask("POST", "/v1/jobs", job_body());
  CHECK(submit.status == 503);
  CHECK(submit.headers.contains("retry-after"));
  CHECK(http.ask("GET", "/v1/jobs").status == 503);
  CHECK(http.ask("GET", "/v1/models").status == 503);
  CHECK(http.ask("GET", "/v1/workers").status == 503);
  CHECK(http.ask("GET", "/metrics").status == 200);
}
