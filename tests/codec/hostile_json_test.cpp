// JSON that is broken or meant to hurt: an Error each time, and quickly.
#include <string>

#include <catch2/catch.hpp>

#include "schemas/codec/json.h"
#include "schemas/limits.h"
#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

ErrorCode refusal(std::string_view text) {
  const Result<JobRequest> job = from_json<JobRequest>(text);
  REQUIRE_FALSE(job.has_value());
  CHECK_FALSE(job.error().message.empty());
  return job.error().code;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("hostile json: broken syntax is malformed") {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{'a':1}",
                           "{a:1}",
                           "[1,]",
                           "nul",
                           "{\"a\":NaN}",
                           "{\"a\":Infinity}",
                           "{\"a\":-Infinity}",
                           "{\"a\":1e999}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{} x",
                           "{}{}",
                           "{\"a\":1}// c",
                           "\xef\xbb\xbf{",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\\ud800\"}"}) {
    INFO(text);
    CHECK(refusal(text) == ErrorCode::malformed_message);
  }
}

TEST_CASE("hostile json: doubled keys are malformed, at any depth") {
  CHECK(refusal(R"({"model":"a","model":"b"})") == ErrorCode::malformed_message);
  CHECK(refusal(R"({"x":[{"y":{"z":1,"z":1}}]})") == ErrorCode::malformed_message);
}

TEST_CASE("hostile json: bytes that are not UTF-8 are malformed") {
  for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    CHECK(refusal("{\"model\":\"" + std::string(bad) + "\"}") == ErrorCode::malformed_message);
  }
}

TEST_CASE("hostile json: NUL in text is the field's error") {
  CHECK(refusal(R"({"model":"a\u0000b","prompt":"p"})") == ErrorCode::invalid_request);
}

TEST_CASE("hostile json: depth is limited, also in keys that nobody reads") {
  const auto nested = [](std::size_t depth) {
    return "{\"x\":" + repeat("[", depth) + repeat("]", depth) + "}";
  };
  CHECK(refusal(nested(limits::kMaxDepth)) == ErrorCode::malformed_message);
  CHECK(refusal(nested(limits::kMaxDepth - 1)) == ErrorCode::invalid_request);  // read, then model is missing
  CHECK(refusal(repeat("[", 1'000'000)) == ErrorCode::malformed_message);
  CHECK(refusal(repeat("{\"a\":", 1'000'000)) == ErrorCode::malformed_message);
}

TEST_CASE("hostile json: the number of elements is limited") {
  const std::string text = "[" + repeat("0,", limits::kMaxElements) + "0]";
  CHECK(refusal(text) == ErrorCode::payload_too_large);
}

TEST_CASE("hostile json: a body over the limit is refused unread") {
  CHECK(refusal(std::string(limits::kMaxBodyBytes + 1, '[')) == ErrorCode::payload_too_large);
}

TEST_CASE("hostile json: many keys are read in time that does not explode") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  text += "\"model\":\"m\",\"prompt\":\"p\"}";
  CHECK(from_json<JobRequest>(text).has_value());
}

TEST_CASE("hostile json: garbage gets a bounded list of errors") {
  const std::string text = R"({"model":"m","prompt":"p","loras":[)" + repeat("0,", 10'000) + "0]}";
  const Result<JobRequest> job = from_json<JobRequest>(text);
  REQUIRE_FALSE(job.has_value());
  CHECK(job.error().fields.size() == 100);
}

TEST_CASE("hostile json: every truncation of every vector is an error") {
  for (const Vector& vector : stored_vectors()) {
    for (std::size_t size = 0; size < vector.json.size(); ++size) {
      const Result<AnyMessage> result =
          decode_json(vector.kind, std::string_view(vector.json).substr(0, size));
      if (result.has_value()) FAIL(vector.kind << "." << vector.name << " cut to " << size << " was read");
    }
  }
}

}  // namespace waggle::codec::test
