// The routes of jobs, workers and the bridge itself, over real sockets with a real queen and a real Redis.
#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/bridge/hive.h"

using namespace waggle;
using namespace waggle::testing;
using nlohmann::json;

namespace {

constexpr const char* kNobody = "01890a5d-ac96-774b-bcce-b302099a8057";

std::vector<std::string> pointers(const HttpReply& reply) {
  std::vector<std::string> found;
  for (const auto& error : json::parse(reply.body).value("errors", json::array()))
    found.push_back(error.at("pointer"));
  return found;
}

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

TEST_CASE("bridge: a job goes in, is seen, rendered and fetched") {
  Hive hive;
  HttpClient http = hive.client();
  const HttpReply accepted = http.ask("POST", "/v1/jobs", job_body(R"(,"seed":42)"));
  REQUIRE(accepted.status == 202);
  const json body = json::parse(accepted.body);
  const std::string id = body.at("job_id");
  CHECK(accepted.headers.at("location") == "/v1/jobs/" + id);
  CHECK(body.at("sse_url") == "/v1/jobs/" + id + "/stream");
  CHECK(json::parse(http.ask("GET", "/v1/jobs/" + id).body).at("state") == "queued");

  const ledger::Lease lease = hive.claim();
  CHECK(json::parse(http.ask("GET", "/v1/jobs/" + id).body).at("state") == "running");
  const std::string image = "\x89PNG\r\n\x1a\nnot much of one";
  hive.complete(lease, image);
  const json status = json::parse(http.ask("GET", "/v1/jobs/" + id).body);
  CHECK(status.at("state") == "completed");
  CHECK(status.at("images").size() == 1);

  const HttpReply picture = http.ask("GET", "/v1/jobs/" + id + "/images/0");
  CHECK(picture.status == 200);
  CHECK(picture.body == image);
  CHECK(picture.headers.at("content-type") == "image/png");
  const std::string etag = picture.headers.at("etag");
  CHECK(etag.front() == '"');
  const HttpReply same =
      http.ask("GET", "/v1/jobs/" + id + "/images/0", "", "If-None-Match: " + etag + "\r\n");
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  const HttpReply head = http.ask("HEAD", "/v1/jobs/" + id + "/images/0");
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") == std::to_string(image.size()));
  CHECK(http.ask("GET", "/v1/jobs/" + id + "/images/1").status == 404);
  CHECK(http.ask("GET", "/v1/jobs/" + id + "/images/x").status == 404);
  CHECK(http.ask("GET", "/v1/jobs/" + id + "/images/-1").status == 404);
  CHECK(http.ask("DELETE", "/v1/jobs/" + id).status == 409);
}

TEST_CASE("bridge: bad bodies are refused with the path of every bad field") {
  Hive hive;
  HttpClient http = hive.client();
  for (const char* bad : {"", "{", "[]", "null", "{}x", "\xff\xfe", "\"text\""}) {
    INFO(bad);
    const HttpReply reply = http.ask("POST", "/v1/jobs", bad);
    CHECK(reply.status == 400);
    CHECK(reply.headers.at("content-type") == "application/problem+json");
  }
  HttpReply reply = http.ask("POST", "/v1/jobs", R"({"operation":"image_generation","model":7})");
  CHECK(reply.status == 400);
  CHECK(has(pointers(reply), "/model"));
  CHECK(has(pointers(reply), "/prompt"));
  reply = http.ask("POST", "/v1/jobs", job_body(R"(,"steps":0,"width":513,"height":100000)"));
  CHECK(reply.status == 400);
  CHECK(has(pointers(reply), "/steps"));
  CHECK(has(pointers(reply), "/width"));
  CHECK(has(pointers(reply), "/height"));
  const json problem = json::parse(reply.body);
  CHECK(problem.at("code") == "invalid_request");
  CHECK(problem.at("status") == 400);
  CHECK(problem.at("retryable") == false);
  reply = http.ask(
      "POST", "/v1/jobs",
      R"({"operation":"image_generation","model":"sd15","prompt":")" + std::string(1 << 20, 'x') + "\"}");
  CHECK(reply.status == 400);
  CHECK(has(pointers(reply), "/prompt"));
  CHECK(http.ask("POST", "/v1/jobs", std::string(100'000, '[')).status == 400);
  CHECK(http.ask("POST", "/v1/jobs", job_body(), "Content-Type: text/plain\r\n").status == 415);
  CHECK(http.closes());  // its body was not read
  CHECK(hive.client().ask("GET", "/v1/jobs?limit=0").status == 400);
  CHECK(hive.client().ask("GET", "/v1/jobs?state=lazy").status == 400);
}

TEST_CASE("bridge: the same idempotency key gives the same job, and another body under it 422") {
  Hive hive;
  HttpClient http = hive.client();
  const std::string key = "Idempotency-Key: order-17\r\n";
  const HttpReply first = http.ask("POST", "/v1/jobs", job_body(), key);
  const HttpReply again = http.ask("POST", "/v1/jobs", job_body(), key);
  REQUIRE(first.status == 202);
  CHECK(again.status == 202);
  CHECK(again.body == first.body);
  const HttpReply other = http.ask("POST", "/v1/jobs", job_body(R"(,"steps":3)"), key);
  CHECK(other.status == 422);
  CHECK(json::parse(other.body).at("code") == "idempotency_conflict");
}

TEST_CASE("bridge: a full queue says when to come back") {
  ledger::Policy policy;
  policy.max_queued = 1;
  Hive hive({}, policy);
  HttpClient http = hive.client();
  CHECK(http.ask("POST", "/v1/jobs", job_body()).status == 202);
  const HttpReply full = http.ask("POST", "/v1/jobs", job_body());
  CHECK(full.status == 503);
  CHECK(json::parse(full.body).at("code") == "queue_full");
  CHECK(json::parse(full.body).at("retryable") == true);
  CHECK(std::stoi(full.headers.at("retry-after")) >= 1);
}

TEST_CASE("bridge: too many requests are 429, with when to come back") {
  Hive hive({}, {}, 0.1);
  HttpClient http = hive.client();
  CHECK(http.ask("POST", "/v1/jobs", job_body()).status == 202);
  const HttpReply refused = http.ask("POST", "/v1/jobs", job_body());
  CHECK(refused.status == 429);
  CHECK(json::parse(refused.body).at("code") == "rate_limited");
  const int seconds = std::stoi(refused.headers.at("retry-after"));
  CHECK(seconds >= 1);
  CHECK(seconds <= 10);
}

TEST_CASE("bridge: bytes, pauses and garbage of the queue are in the metrics") {
  Hive hive;
  HttpClient http = hive.client();
  hive.submit();
  REQUIRE(hive.ledger().pause({"sd15"}));
  const std::string text = http.ask("GET", "/metrics").body;
  CHECK(text.find("waggle_model_paused{model=\"sd15\"} 1") != std::string::npos);
  CHECK(text.find("waggle_bytes{what=\"queued\"}") != std::string::npos);
  CHECK(text.find("waggle_bytes{what=\"images\"} 0") != std::string::npos);
  for (const char* what : {"requests", "events", "subscriptions", "rate_limited"}) {
    INFO(what);
    CHECK(text.find("what=\"" + std::string(what) + "\"} 0") != std::string::npos);
  }
  CHECK(text.find("waggle_bridge_malformed_total 0") != std::string::npos);
  REQUIRE(hive.ledger().resume({"sd15"}));
  CHECK(http.ask("GET", "/metrics").body.find("waggle_model_paused{model=\"sd15\"} 0") != std::string::npos);
}

TEST_CASE("bridge: unknown things are 404, wrong methods 405 with what is allowed") {
  Hive hive;
  HttpClient http = hive.client();
  for (const char* path : {"/nowhere", "/v1", "/v1/jobs/nonsense", "/v1/jobs/nonsense/stream"}) {
    INFO(path);
    CHECK(http.ask("GET", path).status == 404);
  }
  for (const std::string& path : std::vector<std::string>{
           "/v1/jobs/" + std::string(kNobody), "/v1/jobs/" + std::string(kNobody) + "/stream",
           "/v1/jobs/" + std::string(kNobody) + "/images/0", "/v1/stream?jobs=" + std::string(kNobody)}) {
    INFO(path);
    const HttpReply reply = http.ask("GET", path);
    CHECK(reply.status == 404);
    CHECK(json::parse(reply.body).at("code") == "unknown_job");
  }
  CHECK(http.ask("DELETE", "/v1/jobs/" + std::string(kNobody)).status == 404);
  const HttpReply reply = http.ask("DELETE", "/v1/jobs");
  CHECK(reply.status == 405);
  CHECK(reply.headers.at("allow") == "POST, GET, HEAD");
}

TEST_CASE("bridge: cancelling ends a queued job and tells the worker of a running one") {
  Hive hive;
  HttpClient http = hive.client();
  const std::string queued = hive.submit();
  const HttpReply ended = http.ask("DELETE", "/v1/jobs/" + queued);
  CHECK(ended.status == 200);
  CHECK(json::parse(ended.body).at("state") == "cancelled");
  CHECK(http.ask("DELETE", "/v1/jobs/" + queued).status == 409);
  const std::string running = hive.submit();
  const ledger::Lease lease = hive.claim();
  CHECK(http.ask("DELETE", "/v1/jobs/" + running).status == 202);
  hive.finish(lease, CancelledEvent{});
  CHECK(json::parse(http.ask("GET", "/v1/jobs/" + running).body).at("state") == "cancelled");
}

TEST_CASE("bridge: the list is walked by its cursor to its end, each job once") {
  Hive hive;
  HttpClient http = hive.client();
  std::vector<std::string> submitted, listed;
  for (int i = 0; i < 5; ++i) submitted.push_back(hive.submit());
  std::string cursor;
  do {
    const HttpReply reply = http.ask("GET", "/v1/jobs?limit=2&state=queued&cursor=" + cursor);
    REQUIRE(reply.status == 200);
    const json page = json::parse(reply.body);
    for (const json& job : page.at("jobs")) listed.push_back(job.at("job_id"));
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty() && listed.size() < 10);
  std::sort(submitted.begin(), submitted.end());
  std::sort(listed.begin(), listed.end());
  CHECK(listed == submitted);
}

TEST_CASE("bridge: the pool's workers and models are listed") {
  Hive hive;
  HttpClient http = hive.client();
  CHECK(json::parse(http.ask("GET", "/v1/workers").body).at("workers").empty());
  WorkerInfo worker;
  worker.id = WorkerId("drone-1");
  worker.device = "cpu";
  worker.models.push_back({"sd15", "sd15", {"stable-diffusion-v1-5"}, true, 1});
  worker.adapters.embeddings = {"bad-hands"};
  REQUIRE(hive.ledger().put_worker(worker, std::chrono::seconds(60)).has_value());
  const json workers = json::parse(http.ask("GET", "/v1/workers").body).at("workers");
  REQUIRE(workers.size() == 1);
  CHECK(workers[0].at("worker_id") == "drone-1");
  const HttpReply models = http.ask("GET", "/v1/models");
  CHECK(models.status == 200);
  CHECK(models.body.find("sd15") != std::string::npos);
  CHECK(json::parse(models.body).at("adapters").at("embeddings") == json({"bad-hands"}));
}

TEST_CASE("bridge: missing and out-of-range fields of a body are reported together") {
  Hive hive;
  const HttpReply reply = hive.client().ask("POST", "/v1/jobs", R"({"steps":0,"n":"two"})");
  CHECK(reply.status == 400);
  CHECK(pointers(reply) == std::vector<std::string>{"/model", "/prompt", "/n", "/steps"});
}

TEST_CASE("bridge: while no queen is there, requests wait together and not one after the other") {
  bridge::Settings settings;
  settings.queen_timeout = std::chrono::milliseconds(300);
  Hive hive(settings);
  hive.stop_queen();
  std::vector<HttpClient> clients;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    clients.push_back(hive.client());
    clients.back().send(std::string("DELETE /v1/jobs/") + kNobody + " HTTP/1.1\r\nHost: hive\r\n\r\n");
  }
  for (HttpClient& http : clients) CHECK(http.read_reply().status == 503);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}

TEST_CASE("bridge: an endpoint that cannot be is an error that names it, not a crash") {
  bridge::Settings settings;
  settings.port = 0;
  settings.requests = {"foo://x"};
  CHECK_THROWS_WITH(bridge::Server(settings), Catch::Contains("foo://x"));
}

TEST_CASE("bridge: it is alive without the others, and ready only with them") {
  Hive hive;
  HttpClient http = hive.client();
  CHECK(http.ask("GET", "/health").status == 200);
  CHECK(http.ask("GET", "/ready").status == 200);
  hive.stop_queen();
  const HttpReply without_queen = http.ask("GET", "/ready");
  CHECK(without_queen.status == 503);
  CHECK(json::parse(without_queen.body).at("redis") == "ok");
  CHECK(json::parse(without_queen.body).at("queen") == "unavailable");
  hive.redis().kill9();
  CHECK(json::parse(http.ask("GET", "/ready").body).at("redis") == "unavailable");
  CHECK(http.ask("GET", "/v1/jobs").status == 503);
  CHECK(http.ask("GET", "/health").status == 200);
}

TEST_CASE("bridge: metrics count what was answered") {
  Hive hive;
  HttpClient http = hive.client();
  hive.submit();
  http.ask("GET", "/nowhere");
  const HttpReply reply = http.ask("GET", "/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.body.find(R"(waggle_bridge_requests_total{method="POST",route="/v1/jobs",status="202"} 1)") !=
        std::string::npos);
  CHECK(reply.body.find(R"(waggle_bridge_requests_total{method="GET",route="none",status="404"} 1)") !=
        std::string::npos);
  CHECK(reply.body.find(R"(waggle_jobs{state="queued"} 1)") != std::string::npos);
}

TEST_CASE("bridge: with tokens set, only their bearers pass, and health stays open") {
  bridge::Settings settings;
  settings.tokens = {bridge::Token{"nectar"}, bridge::Token{"pollen"}};
  Hive hive(settings);
  HttpClient http = hive.client();
  const HttpReply refused = http.ask("GET", "/v1/jobs");
  CHECK(refused.status == 401);
  CHECK(refused.headers.contains("www-authenticate"));
  CHECK(http.ask("GET", "/v1/jobs", "", "Authorization: Bearer nect\r\n").status == 401);
  CHECK(http.ask("GET", "/v1/jobs", "", "Authorization: Bearer nectarr\r\n").status == 401);
  CHECK(http.ask("GET", "/v1/jobs", "", "Authorization: Bearer\r\n").status == 401);
  CHECK(http.ask("GET", "/v1/jobs", "", "Authorization: Bearer pollen\r\n").status == 200);
  CHECK(http.ask("GET", "/health").status == 200);
}

TEST_CASE("bridge: a job that comes with a tenant's token is that tenant's") {
  bridge::Settings settings;
  settings.tokens = {bridge::Token{"nectar", "anna"}, bridge::Token{"pollen"}};
  Hive hive(settings);
  HttpClient http = hive.client();
  const auto tenant_of = [&](const std::string& token, const std::string& more) {
    const HttpReply reply =
        http.ask("POST", "/v1/jobs", job_body(more), "Authorization: Bearer " + token + "\r\n");
    REQUIRE(reply.status == 202);
    const std::string id = nlohmann::json::parse(reply.body).at("job_id");
    return hive.ledger().request(JobId(id))->tenant.value_or("");
  };
  CHECK(tenant_of("nectar", "") == "anna");
  CHECK(tenant_of("nectar", R"(,"tenant":"anna")") == "anna");
  CHECK(tenant_of("pollen", "") == "");
  CHECK(tenant_of("pollen", R"(,"tenant":"ben")") == "ben");
  const HttpReply refused =
      http.ask("POST", "/v1/jobs", job_body(R"(,"tenant":"ben")"), "Authorization: Bearer nectar\r\n");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("/tenant") != std::string::npos);
}

TEST_CASE("bridge: a client above its rate is told when to come back, another one is served meanwhile") {
  bridge::Settings settings;
  settings.rate_limit = 0.01;
  settings.rate_burst = 2;
  settings.behind_proxy = true;
  Hive hive(settings);
  // The connection of a refusal closes: its body has not been read.
  const auto post = [&](const std::string& from) {
    return hive.client().ask("POST", "/v1/jobs", job_body(), "X-Forwarded-For: 192.0.2.9, " + from + "\r\n");
  };
  CHECK(post("192.0.2.1").status == 202);
  CHECK(post("192.0.2.1").status == 202);
  const HttpReply refused = post("192.0.2.1");
  CHECK(refused.status == 429);
  CHECK(std::stoi(refused.headers.at("retry-after")) > 50);
  CHECK(refused.body.find("rate_limited") != std::string::npos);
  CHECK(post("192.0.2.2").status == 202);
  CHECK(hive.client().ask("GET", "/v1/jobs", "", "X-Forwarded-For: 192.0.2.1\r\n").status == 200);
}

TEST_CASE("bridge: pages of the allowed origin may call") {
  bridge::Settings settings;
  settings.cors_origin = "https://hive.example";
  Hive hive(settings);
  HttpClient http = hive.client();
  const HttpReply preflight = http.ask("OPTIONS", "/v1/jobs", "", "Origin: https://hive.example\r\n");
  CHECK(preflight.status == 204);
  CHECK(preflight.headers.at("access-control-allow-origin") == "https://hive.example");
  CHECK(http.ask("GET", "/v1/jobs").headers.at("access-control-allow-origin") == "https://hive.example");
}
