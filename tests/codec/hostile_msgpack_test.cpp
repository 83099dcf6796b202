// MessagePack that is broken or meant to hurt: an Error each time, without an allocation that a length prefix
// asked for.
#include <string>

#include <catch2/catch.hpp>

#include "schemas/codec/msgpack.h"
#include "schemas/limits.h"
#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

// Decoded as every kind; all of them must refuse. The code of the last refusal.
ErrorCode refusal(std::string_view bytes) {
  ErrorCode code = ErrorCode::internal;
  for (const std::string_view kind : msgpack_kinds()) {
    const Result<AnyMessage> result = decode_msgpack(kind, bytes);
    REQUIRE_FALSE(result.has_value());
    CHECK_FALSE(result.error().message.empty());
    code = result.error().code;
  }
  return code;
}

// {"v":1,"type":"stats","request_id":"r","x":<value>}: a good request but for what follows.
std::string request_with(std::string_view value) {
  return from_hex("84a17601a474797065a57374617473aa726571756573745f6964a172a178") + std::string(value);
}

}  // namespace

TEST_CASE("hostile msgpack: every truncation of every vector is an error, in every kind") {
  for (const Vector& vector : stored_vectors()) {
    for (std::size_t size = 0; size < vector.msgpack.size(); ++size) {
      const std::string cut = vector.msgpack.substr(0, size);
      for (const std::string_view kind : msgpack_kinds()) {
        const Result<AnyMessage> result = decode_msgpack(kind, cut);
        if (result.has_value()) FAIL(vector.kind << "." << vector.name << " cut to " << size << " was read");
        if (result.error().code != ErrorCode::malformed_message) FAIL("truncation is malformed_message");
      }
    }
  }
}

TEST_CASE("hostile msgpack: a byte after the end is an error") {
  for (const Vector& vector : stored_vectors()) {
    if (vector.msgpack.empty()) continue;
    INFO(vector.kind << "." << vector.name);
    CHECK(decode_msgpack(vector.kind, vector.msgpack + '\xc0').error().code == ErrorCode::malformed_message);
  }
}

TEST_CASE("hostile msgpack: what is no map is malformed") {
  for (const char* hex : {"", "c0", "c1", "c2", "01", "ff", "90", "a0", "c400", "ca00000000", "93010203"}) {
    INFO(hex);
    CHECK(refusal(from_hex(hex)) == ErrorCode::malformed_message);
  }
}

TEST_CASE("hostile msgpack: lengths of four gigabytes are not believed") {
  for (const char* hex : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff", "c9ffffffff01", "dcffff",
                          "deffff", "ddfffffffe01", "dffffffffea161"}) {
    INFO(hex);
    const ErrorCode alone = refusal(from_hex(hex));
    CHECK((alone == ErrorCode::malformed_message || alone == ErrorCode::payload_too_large));
    const ErrorCode nested = refusal(request_with(from_hex(hex)));
    CHECK((nested == ErrorCode::malformed_message || nested == ErrorCode::payload_too_large));
  }
}

TEST_CASE("hostile msgpack: an array that claims more elements than are allowed is refused at its head") {
  CHECK(refusal(from_hex("dd0007a121")) == ErrorCode::payload_too_large);  // 500001
}

TEST_CASE("hostile msgpack: many small arrays count together") {
  std::string bytes = from_hex("dd00000010");  // 16 arrays of 40000
  for (int i = 0; i < 16; ++i) bytes += from_hex("dc9c40") + std::string(40'000, '\x01');
  CHECK(refusal(bytes) == ErrorCode::payload_too_large);
}

TEST_CASE("hostile msgpack: depth is limited, also in keys that nobody reads") {
  CHECK(refusal(std::string(1'000'000, '\x91')) == ErrorCode::malformed_message);
  std::string maps;
  for (int i = 0; i < 100'000; ++i) maps += "\x81\xa1x";
  CHECK(refusal(maps) == ErrorCode::malformed_message);
  const auto nested = [](std::size_t depth) { return request_with(std::string(depth, '\x91') + '\xc0'); };
  CHECK(from_msgpack<Request>(nested(limits::kMaxDepth - 1)).has_value());
  CHECK(refusal(nested(limits::kMaxDepth)) == ErrorCode::malformed_message);
}

TEST_CASE("hostile msgpack: keys that are not strings, extension types and doubled keys are malformed") {
  CHECK(refusal(from_hex("8101c0")) == ErrorCode::malformed_message);
  CHECK(refusal(from_hex("8190c0")) == ErrorCode::malformed_message);
  CHECK(refusal(from_hex("8180c0")) == ErrorCode::malformed_message);
  CHECK(refusal(from_hex("81c40161c0")) == ErrorCode::malformed_message);
  CHECK(refusal(from_hex("81c0c0")) == ErrorCode::malformed_message);
  CHECK(refusal(request_with(from_hex("d40100"))) == ErrorCode::malformed_message);
  CHECK(refusal(from_hex("82a17601a17601")) == ErrorCode::malformed_message);
  CHECK(refusal(request_with(from_hex("82a161c0a161c0"))) == ErrorCode::malformed_message);
}

TEST_CASE("hostile msgpack: a message over the limit is refused unread") {
  CHECK(refusal(std::string(limits::kMaxMessageBytes + 1, '\x91')) == ErrorCode::payload_too_large);
}

TEST_CASE("hostile msgpack: text that is not UTF-8 is an error of its field") {
  JobRequest job = full_job();
  job.prompt = "\xed\xa0\x80";
  job.tenant = std::string("a\0b", 3);
  const Result<JobRequest> read = from_msgpack<JobRequest>(to_msgpack(job));
  REQUIRE_FALSE(read.has_value());
  REQUIRE(read.error().fields.size() == 2);
  CHECK(read.error().fields[0].path == "/prompt");
  CHECK(read.error().fields[1].path == "/tenant");
}

TEST_CASE("hostile msgpack: numbers that are not finite are errors of their fields") {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    JobRequest job = full_job();
    job.guidance_scale = bad;
    job.deadline_s = -bad;
    const Result<JobRequest> read = from_msgpack<JobRequest>(to_msgpack(job));
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().fields.size() == 2);
  }
}

TEST_CASE("hostile msgpack: a base64 string is no picture on the wire") {
  // {"v":1,"type":"job","operation":"image_transform","model":"m","prompt":"p","input_image":"Zm9v"}
  const std::string bytes = from_hex(
      "86a17601a474797065a36a6f62a96f7065726174696f6eaf696d6167655f7472616e73666f726da56d6f64656ca16d"
      "a670726f6d7074a170ab696e7075745f696d616765a45a6d3976");
  const Result<JobRequest> read = from_msgpack<JobRequest>(bytes);
  REQUIRE_FALSE(read.has_value());
  REQUIRE(read.error().fields.size() == 1);
  CHECK(read.error().fields[0].path == "/input_image");
}

}  // namespace waggle::codec::test
