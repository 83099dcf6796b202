// The MessagePack face as an honest peer sees it: exact bytes, unknown keys, absent and null fields.
#include "schemas/codec/msgpack.h"

#include <catch2/catch.hpp>

#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

// A map of three: v, type "stats", request_id "r".
const std::string kStats = from_hex("83a17601a474797065a57374617473aa726571756573745f6964a172");

}  // namespace

TEST_CASE("msgpack: a message is one map that begins with v and type") {
  CHECK(to_hex(to_msgpack(Request{RequestId{"r"}, StatsRequest{}})) == to_hex(kStats));
}

TEST_CASE("msgpack: unknown keys are ignored, whatever they hold") {
  // {"v":1, "type":"stats", "request_id":"r", "x":[{"y":nil}, 1.5]}
  std::string bytes = kStats;
  bytes[0] = '\x84';
  bytes += from_hex("a1789281a179c0cb3ff8000000000000");
  const Result<Request> request = from_msgpack<Request>(bytes);
  REQUIRE(request.has_value());
  CHECK(*request == Request{RequestId{"r"}, StatsRequest{}});
}

TEST_CASE("msgpack: a nil field is an absent field") {
  // {"v":1, "type":"list", "request_id":"r", "state":nil, "limit":nil}
  const std::string bytes =
      from_hex("85a17601a474797065a46c697374aa726571756573745f6964a172a57374617465c0a56c696d6974c0");
  const Result<Request> request = from_msgpack<Request>(bytes);
  REQUIRE(request.has_value());
  CHECK(std::get<ListRequest>(request->body) == ListRequest{});
}

TEST_CASE("msgpack: whole numbers may come as floats, as some languages send them") {
  // {"v":1.0, "type":"stats", "request_id":"r"}
  const std::string bytes =
      from_hex("83a176cb3ff0000000000000a474797065a57374617473aa726571756573745f6964a172");
  CHECK(from_msgpack<Request>(bytes).has_value());
}

TEST_CASE("msgpack: another version is refused before anything else is looked at") {
  const std::string bytes = from_hex("82a17602a474797065a178");  // {"v":2, "type":"x"}
  const Result<Request> request = from_msgpack<Request>(bytes);
  REQUIRE_FALSE(request.has_value());
  CHECK(request.error().code == ErrorCode::unsupported_version);
}

TEST_CASE("msgpack: an unknown type says so, and does not repeat what might be hostile") {
  const Result<Request> plain = from_msgpack<Request>(from_hex("82a17601a474797065a564616e6365"));  // dance
  REQUIRE_FALSE(plain.has_value());
  CHECK(plain.error().code == ErrorCode::unknown_type);
  CHECK(plain.error().message.find("dance") != std::string::npos);
  const Result<Request> hostile =
      from_msgpack<Request>(from_hex("82a17601a474797065a31b5b6d"));  // an escape code
  REQUIRE_FALSE(hostile.has_value());
  CHECK(hostile.error().code == ErrorCode::unknown_type);
  CHECK(hostile.error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("msgpack: a message of another family is an unknown type, not a wrong value") {
  const Result<Event> event = from_msgpack<Event>(kStats);
  REQUIRE_FALSE(event.has_value());
  CHECK(event.error().code == ErrorCode::unknown_type);
  CHECK(from_msgpack<WorkerInfo>(kStats).error().code == ErrorCode::unknown_type);
}

TEST_CASE("msgpack: an error code of a later version reads as internal") {
  // {"v":1, "type":"error", "code":"moonlight", "message":"m"}
  const std::string bytes =
      from_hex("84a17601a474797065a56572726f72a4636f6465a96d6f6f6e6c69676874a76d657373616765a16d");
  const Result<ErrorRecord> record = from_msgpack<ErrorRecord>(bytes);
  REQUIRE(record.has_value());
  CHECK(record->error.code == ErrorCode::internal);
  CHECK(record->error.message == "m");
}

TEST_CASE("msgpack: the id of a request that is wrong otherwise is found for the refusal") {
  std::string bytes = kStats;
  bytes[3] = '\x07';  // v = 7
  CHECK(peek_request_id(bytes) == RequestId{"r"});
  CHECK(peek_request_id("").empty());
  CHECK(peek_request_id("\xc1").empty());
  CHECK(peek_request_id(from_hex("81aa726571756573745f6964a120")).empty());  // a blank is no id
}

TEST_CASE("msgpack: a picture of 32 MB crosses whole") {
  JobRequest job = full_job();
  job.operation = ImageTransform{PictureInput{std::string(32u << 20, '\xAB')}, 0.8, {}, {}};
  const Result<Request> request =
      from_msgpack<Request>(to_msgpack(Request{RequestId{"r"}, SubmitRequest{job}}));
  REQUIRE(request.has_value());
  CHECK((std::get<SubmitRequest>(request->body).job == job));
}

}  // namespace waggle::codec::test
