// Server-sent events: what a reader gets, and that it gets all of it, once, whatever happens to it or to the
// bridge.
#include <catch2/catch.hpp>
#include <dirent.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "schemas/codec/base64.h"
#include "tests/bridge/hive.h"

using namespace waggle;
using namespace waggle::testing;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

HttpClient open(const Hive& hive, const std::string& target, const std::string& after = "") {
  HttpClient reader = hive.client();
  reader.send("GET " + target + " HTTP/1.1\r\nHost: test\r\n" +
              (after.empty() ? "" : "Last-Event-ID: " + after + "\r\n") + "\r\n");
  const HttpReply header = reader.read_header();
  if (header.status != 200) throw std::runtime_error("no stream: " + std::to_string(header.status));
  return reader;
}

std::string stream_of(const std::string& id) { return "/v1/jobs/" + id + "/stream"; }

std::vector<std::string> names(const std::vector<SseEvent>& events) {
  std::vector<std::string> list;
  for (const SseEvent& event : events) list.push_back(event.event.empty() ? event.data : event.event);
  return list;
}

std::size_t threads_of_this_process() {
  std::size_t count = 0;
  DIR* tasks = ::opendir("/proc/self/task");
  while (const dirent* entry = ::readdir(tasks)) count += entry->d_name[0] != '.';
  ::closedir(tasks);
  return count;
}

/// The value of a sample in the metrics' text.
double metric(HttpClient& http, const std::string& sample) {
  const std::string text = http.ask("GET", "/metrics").body;
  const auto at = text.find(sample + " ");
  return at == std::string::npos ? -1 : std::stod(text.substr(at + sample.size() + 1));
}

template <class Condition>
bool soon(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("stream: a reader follows a job from the queue to its image") {
  Hive hive;
  const std::string id = hive.submit();
  HttpClient reader = hive.client();
  reader.send("GET " + stream_of(id) + " HTTP/1.1\r\nHost: test\r\n\r\n");
  const HttpReply header = reader.read_header();
  CHECK(header.status == 200);
  CHECK(header.headers.at("content-type") == "text/event-stream");
  CHECK(header.headers.at("cache-control") == "no-store");
  CHECK(header.headers.at("x-accel-buffering") == "no");
  CHECK(reader.next_event()->event == "queued");
  const ledger::Lease lease = hive.claim();
  CHECK(reader.next_event()->event == "started");
  hive.progress(lease, 1, 4);
  const auto progress = reader.next_event();
  REQUIRE(progress);
  CHECK(progress->event == "progress");
  CHECK(progress->has_retry);
  const json data = json::parse(progress->data);
  CHECK(data.at("type") == "progress");
  CHECK(data.at("step") == 1);
  CHECK(data.at("total") == 4);
  CHECK(data.at("percent") == 25.0);
  hive.preview(lease, 2, 300);
  const auto preview = reader.next_event();
  REQUIRE(preview);
  CHECK(json::parse(preview->data).at("image") == codec::base64_encode(std::string(300, 'p')));
  CHECK(json::parse(preview->data).at("format") == "jpeg");
  hive.complete(lease, "\x89PNGimage");
  const auto complete = reader.next_event();
  REQUIRE(complete);
  CHECK(complete->event == "complete");
  CHECK(json::parse(complete->data).at("image") == codec::base64_encode("\x89PNGimage"));
  const auto done = reader.next_event();
  REQUIRE(done);
  CHECK(done->data == "[DONE]");
  CHECK(done->event.empty());
  CHECK_FALSE(done->id.empty());
  CHECK_FALSE(reader.next_event());
  CHECK(reader.closes());
}

TEST_CASE("stream: resumed at every event, by any bridge, without a gap or a repeat") {
  Hive hive;
  const std::string id = hive.submit();
  const ledger::Lease lease = hive.claim();
  for (int step = 1; step <= 20; ++step) hive.progress(lease, step, 20);
  hive.complete(lease, "image");
  HttpClient first = open(hive, stream_of(id));
  const std::vector<SseEvent> all = read_stream(first);
  REQUIRE(all.size() == 24);  // queued, started, 20 steps, complete, [DONE]
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (i == all.size() / 2) hive.replace_bridge();
    INFO("after event " << i);
    HttpClient again = open(hive, stream_of(id), all[i].id);
    CHECK(read_stream(again) ==
          std::vector<SseEvent>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
  }
  HttpClient by_query = open(hive, stream_of(id) + "?last_event_id=" + all[5].id);
  CHECK(read_stream(by_query).size() == all.size() - 6);
}

TEST_CASE("stream: a position that is not one, or lies in the future, is refused") {
  Hive hive;
  const std::string id = hive.submit();
  for (const char* bad : {"x", "1", "-", "9999999999999-0", "1-2-3"}) {
    INFO(bad);
    CHECK(hive.client().ask("GET", stream_of(id), "", "Last-Event-ID: " + std::string(bad) + "\r\n").status ==
          400);
  }
}

TEST_CASE("stream: events that no topic announced are found in the log") {
  bridge::Settings settings;
  settings.poll_running = settings.poll_queued = 50ms;
  Hive hive(settings);
  const std::string id = hive.submit();
  HttpClient reader = open(hive, stream_of(id));
  CHECK(reader.next_event()->event == "queued");
  ledger::ClaimQuery query;
  query.worker = WorkerId("silent");
  query.models = {"sd15"};
  const auto claimed = hive.ledger().claim(query, {});
  REQUIRE(claimed);
  CHECK(reader.next_event()->event == "started");
  Event event;
  event.job = JobId(id);
  event.attempt = claimed->front().lease.attempt;
  event.body = ProgressEvent{1, 2, 50};
  REQUIRE(hive.ledger().append(claimed->front().lease, event, {}).has_value());
  CHECK(reader.next_event()->event == "progress");
  event.body = FailedEvent{Error{ErrorCode::unknown_adapter, "no such LoRA"}};
  REQUIRE(hive.ledger().finish(claimed->front().lease, event, {}).has_value());
  CHECK(names(read_stream(reader)) == std::vector<std::string>{"error", "[ERROR] no such LoRA"});
}

TEST_CASE("stream: two readers of one job, one of them late, get the same") {
  Hive hive;
  const std::string id = hive.submit();
  HttpClient early = open(hive, stream_of(id));
  CHECK(early.next_event()->event == "queued");
  const ledger::Lease lease = hive.claim();
  for (int step = 1; step <= 5; ++step) hive.progress(lease, step, 10);
  for (int i = 0; i < 6; ++i) REQUIRE(early.next_event());
  HttpClient late = open(hive, stream_of(id));
  HttpClient middle = open(hive, stream_of(id), hive.progress(lease, 6, 10).value);
  hive.progress(lease, 7, 10);
  hive.complete(lease, "image");
  const std::vector<SseEvent> all = read_stream(late);
  CHECK(all.size() == 11);
  CHECK(read_stream(early) == std::vector<SseEvent>(all.end() - 4, all.end()));
  CHECK(read_stream(middle) == std::vector<SseEvent>(all.end() - 3, all.end()));
}

TEST_CASE("stream: cancelled and failed jobs end with their word") {
  Hive hive;
  const std::string cancelled = hive.submit();
  HttpClient reader = open(hive, stream_of(cancelled));
  hive.client().ask("DELETE", "/v1/jobs/" + cancelled);
  CHECK(names(read_stream(reader)).back() == "[CANCELLED]");
  const std::string failed = hive.submit();
  HttpClient other = open(hive, stream_of(failed));
  hive.finish(hive.claim(), FailedEvent{Error{ErrorCode::model_mismatch, "another kind of model"}});
  const std::vector<SseEvent> events = read_stream(other);
  REQUIRE(events.size() == 4);
  CHECK(json::parse(events[2].data).at("code") == "model_mismatch");
  CHECK(events[3].data == "[ERROR] another kind of model");
}

TEST_CASE("stream: one stream carries many jobs and resumes all of them") {
  Hive hive;
  const std::string a = hive.submit(), b = hive.submit();
  const std::string target = "/v1/stream?jobs=" + a + "," + b;
  HttpClient reader = open(hive, target);
  hive.complete(hive.claim(), "first");
  const ledger::Lease second = hive.claim();
  hive.progress(second, 1, 2);
  hive.complete(second, "second");
  const std::vector<SseEvent> all = read_stream(reader);
  CHECK(all.back().data == "[DONE]");
  const auto list = names(all);
  CHECK(std::count(list.begin(), list.end(), "end") == 2);
  CHECK(std::count(list.begin(), list.end(), "complete") == 2);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    INFO("after " << all[i].id);
    HttpClient again = open(hive, target, all[i].id);
    std::vector<std::string> rest, got;
    for (std::size_t j = i + 1; j < all.size(); ++j) rest.push_back(all[j].data);
    for (const SseEvent& event : read_stream(again)) got.push_back(event.data);
    std::sort(rest.begin(), rest.end());
    std::sort(got.begin(), got.end());
    CHECK(got == rest);
  }
  CHECK(hive.client().ask("GET", "/v1/stream").status == 400);
  CHECK(hive.client().ask("GET", "/v1/stream?jobs=" + a + "," + a).status == 400);
}

TEST_CASE("stream: a slow reader loses small talk, never the end, and holds nobody up") {
  bridge::Settings settings;
  settings.max_lag = 1ms;
  Hive hive(settings);
  const std::string id = hive.submit();
  HttpClient slow = hive.client(4096);
  slow.send("GET " + stream_of(id) + " HTTP/1.1\r\nHost: test\r\n\r\n");
  CHECK(slow.read_header().status == 200);
  CHECK(slow.next_event()->event == "queued");
  HttpClient quick = open(hive, stream_of(id));
  const ledger::Lease lease = hive.claim();
  std::thread renderer([&] {
    for (int step = 1; step <= 300; ++step) hive.preview(lease, step, 100'000);
    hive.complete(lease, "image");
  });
  CHECK(read_stream(quick).back().data == "[DONE]");
  renderer.join();
  const std::vector<SseEvent> rest = read_stream(slow);
  REQUIRE(rest.size() >= 2);
  CHECK(rest.size() < 200);
  CHECK(rest[rest.size() - 2].event == "complete");
  CHECK(rest.back().data == "[DONE]");
}

TEST_CASE("stream: a reader that keeps up to a few seconds gets every preview of a burst") {
  bridge::Settings settings;
  settings.max_lag = 60s;
  Hive hive(settings);
  const std::string id = hive.submit();
  HttpClient reader = open(hive, stream_of(id));
  const ledger::Lease lease = hive.claim();
  for (int step = 1; step <= 100; ++step) hive.preview(lease, step, 100'000);
  hive.complete(lease, "image");
  CHECK(read_stream(reader).size() == 104);
}

TEST_CASE("stream: a silent stream is kept alive by comments") {
  bridge::Settings settings;
  settings.heartbeat = 50ms;
  Hive hive(settings);
  HttpClient reader = hive.client();
  reader.send("GET " + stream_of(hive.submit()) + " HTTP/1.0\r\n\r\n");
  CHECK(reader.read_header().status == 200);
  CHECK(reader.next_event()->event == "queued");
  CHECK(reader.next_comment() == ": still here");
}

TEST_CASE("stream: a reader that leaves takes its channel with it") {
  Hive hive;
  const std::string id = hive.submit();
  HttpClient http = hive.client();
  {
    HttpClient one = open(hive, stream_of(id)), two = open(hive, stream_of(id));
    CHECK(one.next_event()->event == "queued");
    CHECK(metric(http, R"(waggle_bridge_open{what="streams"})") == 2);
    CHECK(metric(http, R"(waggle_bridge_open{what="jobs"})") == 1);
  }
  CHECK(soon([&] { return metric(http, R"(waggle_bridge_open{what="streams"})") == 0; }));
  CHECK(metric(http, R"(waggle_bridge_open{what="jobs"})") == 0);
  CHECK(soon([&] { return metric(http, R"(waggle_bridge_open{what="connections"})") == 1; }));
}

TEST_CASE("stream: a stopping bridge ends its streams at once, and another goes on with them") {
  Hive hive;
  const std::string id = hive.submit();
  HttpClient reader = open(hive, stream_of(id));
  const auto queued = reader.next_event();
  REQUIRE(queued);
  const auto begun = std::chrono::steady_clock::now();
  hive.stop_bridge();
  CHECK(std::chrono::steady_clock::now() - begun < 1s);
  CHECK(reader.closes());
  hive.replace_bridge();
  HttpClient again = open(hive, stream_of(id), queued->id);
  hive.complete(hive.claim(), "image");
  CHECK(names(read_stream(again)) == std::vector<std::string>{"started", "complete", "[DONE]"});
}

TEST_CASE("stream: Redis may go away and come back under a stream") {
  bridge::Settings settings;
  settings.poll_running = settings.poll_queued = 50ms;
  Hive hive(settings);
  const std::string id = hive.submit();
  HttpClient reader = open(hive, stream_of(id));
  CHECK(reader.next_event()->event == "queued");
  hive.redis().restart();
  ledger::Lease lease;
  REQUIRE(soon([&] {
    try {
      lease = hive.claim();
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  hive.complete(lease, "image");
  const auto rest = names(read_stream(reader));
  CHECK(rest == std::vector<std::string>{"started", "complete", "[DONE]"});
}

TEST_CASE("stream: a thousand idle readers need no thread each") {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  ::setrlimit(RLIMIT_NOFILE, &files);
  const std::size_t readers = std::min<std::size_t>(1000, files.rlim_cur / 3);
  Hive hive;
  const std::string a = hive.submit(), b = hive.submit();
  const std::size_t before = threads_of_this_process();
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < readers; ++i) clients.push_back(open(hive, stream_of(i % 2 == 0 ? a : b)));
  for (HttpClient& client : clients) REQUIRE(client.next_event());
  CHECK(threads_of_this_process() == before);
  hive.complete(hive.claim(), "first");
  hive.complete(hive.claim(), "second");
  for (HttpClient& client : clients) REQUIRE(read_stream(client).back().data == "[DONE]");
}
