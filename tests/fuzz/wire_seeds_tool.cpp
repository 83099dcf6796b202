// Writes the first inputs of the fuzzers of what comes from the network: HTTP requests, and frames of the bus
// from the test vectors. Usage: wire_seeds FOLDER
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "consumer/bus/topics.h"
#include "tests/codec/vectors.h"
#include "tests/fuzz/seed_file.h"

namespace {

namespace fs = std::filesystem;
using namespace waggle;

using fuzz::write_seed;

std::string post(const std::string& body, const std::string& headers = "") {
  return "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void write_http(const fs::path& folder) {
  const std::string job = "01890a5d-ac96-774b-bcce-b302099a8057";
  const std::string good = codec::to_json(codec::test::full_job());
  write_seed(folder / "submit", post(good));
  write_seed(folder / "submit-keyed", post(good, "Idempotency-Key: k\r\ntraceparent: 00-a-b-01\r\n"));
  write_seed(folder / "submit-expecting", post(good, "Expect: 100-continue\r\n"));
  write_seed(folder / "submit-chunked",
             "POST /v1/jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
             "chunked\r\n\r\n5;x=y\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n");
  write_seed(folder / "submit-broken", post("{\"operation\": 7, \"loras\": [[[["));
  for (const char* target :
       {"/v1/jobs?state=queued&limit=5&cursor=x", "/v1/workers", "/v1/models", "/health", "/ready",
        "/metrics", "/v1/stream?jobs=a,b&last_event_id=1-0", "/%76%31/jobs?a=%20+b", "/nowhere"}) {
    write_seed(folder / ("get-" + std::to_string(fuzz::seeds_written)),
               std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  write_seed(folder / "stream",
             "GET /v1/jobs/" + job + "/stream HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 17-3\r\n\r\n");
  write_seed(folder / "image",
             "GET /v1/jobs/" + job + "/images/0 HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/\"x\", *\r\n\r\n");
  write_seed(folder / "two", "DELETE /v1/jobs/" + job +
                                 " HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ::1, 2001:db8::1\r\n\r\n" +
                                 "HEAD /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  write_seed(folder / "preflight", "OPTIONS /v1/jobs HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n\r\n");
}

std::string framed(char socket, const std::vector<std::string>& frames) {
  std::string bytes(1, socket);
  for (const std::string& frame : frames) {
    bytes += static_cast<char>(frame.size() & 0xff);
    bytes += static_cast<char>(frame.size() >> 8 & 0xff);
    bytes += frame;
  }
  return bytes;
}

/// The first byte is the choice that bus_fuzz.cpp reads: 0 requests, 1 events, 2 subscriptions.
void write_bus(const fs::path& folder) {
  for (const codec::test::Sample& sample : codec::test::samples()) {
    const std::string kind(codec::test::kind(sample.value)),
        bytes = codec::test::encode_msgpack(sample.value);
    if (bytes.empty()) continue;
    if (kind == "request") write_seed(folder / (kind + "." + sample.name), framed(0, {"requests/", bytes}));
    for (const std::string& topic : {bus::control_topic(WorkerId("w")), bus::jobs_topic("null")}) {
      if (kind == "control" || kind == "announcement")
        write_seed(folder / (kind + "." + sample.name + "." + std::to_string(fuzz::seeds_written)),
                   framed(1, {topic, bytes}));
    }
  }
  write_seed(folder / "subscribe", framed(2, {std::string("\1events/", 8)}));
  write_seed(folder / "unsubscribe", framed(2, {std::string("\0events/", 8)}));
  write_seed(folder / "many-frames", framed(0, std::vector<std::string>(40, "x")));
  write_seed(folder / "nothing", framed(0, {"", ""}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: wire_seeds FOLDER\n", stderr);
    return 2;
  }
  write_http(fs::path(argv[1]) / "http");
  write_bus(fs::path(argv[1]) / "bus");
  std::printf("%d seeds\n", fuzz::seeds_written);
  return 0;
}
