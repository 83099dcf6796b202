// The JSON face as an HTTP client sees it: defaults, pictures as base64, one list of everything that is
// wrong.
#include "schemas/codec/json.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/codec/samples.h"

namespace waggle::codec::test {

namespace {

std::vector<std::string> paths(const Error& error) {
  std::vector<std::string> all;
  for (const FieldError& field : error.fields) all.push_back(field.path);
  return all;
}

}  // namespace

TEST_CASE("json: the smallest job is a model and a prompt, the rest is DESIGN's defaults") {
  const Result<JobRequest> job = parse_job_request(R"({"model":"sd15","prompt":"a bee"})");
  REQUIRE(job.has_value());
  JobRequest expected;
  expected.model = "sd15";
  expected.prompt = "a bee";
  CHECK(*job == expected);
  CHECK(job->n == 1);
  CHECK(job->max_attempts == 3);
  CHECK(job->output_format == OutputFormat::png);
  CHECK_FALSE(job->has_negative_prompt);
  CHECK(std::holds_alternative<ImageGeneration>(job->operation));
}

TEST_CASE("json: an empty negative prompt is not an absent one") {
  const auto job = from_json<JobRequest>(R"({"model":"m","prompt":"","negative_prompt":""})");
  REQUIRE(job.has_value());
  CHECK(job->has_negative_prompt);
  CHECK_FALSE(
      from_json<JobRequest>(R"({"model":"m","prompt":"","negative_prompt":null})")->has_negative_prompt);
}

TEST_CASE("json: a picture may be base64, a data URL or a reference") {
  const std::string head = R"({"operation":"image_transform","model":"m","prompt":"p","input_image":")";
  const std::string reference = "sha256:" + std::string(64, '0');
  const auto picture = [&](const std::string& text) {
    const Result<JobRequest> job = from_json<JobRequest>(head + text + "\"}");
    REQUIRE(job.has_value());
    return std::get<ImageTransform>(job->operation).input_image;
  };
  CHECK(picture("Zm9vYg==") == PictureInput{std::string("foob")});
  CHECK(picture("data:image/png;base64,Zm9vYg==") == PictureInput{std::string("foob")});
  CHECK(picture(reference) == PictureInput{BlobId{reference}});
}

TEST_CASE("json: a picture that is neither is the field's error") {
  const std::string head = R"({"operation":"image_transform","model":"m","prompt":"p","input_image":)";
  for (const char* bad :
       {"\"not base64!\"", "\"data:image/png,abc\"", "\"sha256:abc\"", "7", "[]", "{}", "true"}) {
    INFO(bad);
    const Result<JobRequest> job = from_json<JobRequest>(head + bad + "}");
    REQUIRE_FALSE(job.has_value());
    CHECK(job.error().code == ErrorCode::invalid_request);
    CHECK(paths(job.error()) == std::vector<std::string>{"/input_image"});
  }
}

TEST_CASE("json: type errors and range errors of a job come in one list") {
  const Result<JobRequest> job = parse_job_request(
      R"({"prompt":7,"steps":0,"width":513,"n":"two","loras":[{"path":"../x"},{"strength":1}],"seed":-1})");
  REQUIRE_FALSE(job.has_value());
  std::vector<std::string> found = paths(job.error());
  std::ranges::sort(found);
  CHECK(found == std::vector<std::string>{"/loras/0/path", "/loras/1/path", "/model", "/n", "/prompt",
                                          "/seed", "/steps", "/width"});
}

TEST_CASE("json: an unknown operation is one error at its own path") {
  const auto job = from_json<JobRequest>(R"({"operation":"image_dance","model":"m","prompt":"p"})");
  REQUIRE_FALSE(job.has_value());
  CHECK(paths(job.error()) == std::vector<std::string>{"/operation"});
}

TEST_CASE("json: an operation of the wrong type is reported once") {
  const auto job = from_json<JobRequest>(R"({"operation":5,"model":"m","prompt":"p"})");
  REQUIRE_FALSE(job.has_value());
  CHECK(paths(job.error()) == std::vector<std::string>{"/operation"});
}

TEST_CASE("json: whole numbers may be written as floats; fractions and huge ones may not be integers") {
  const auto with_steps = [](const std::string& steps) {
    return from_json<JobRequest>(R"({"model":"m","prompt":"p","steps":)" + steps + "}");
  };
  CHECK(with_steps("20.0")->steps == 20);
  CHECK(with_steps("2e1")->steps == 20);
  for (const char* bad :
       {"20.5", "1e300", "99999999999", "18446744073709551615", "-1e18", "\"20\"", "true", "[20]"}) {
    INFO(bad);
    const Result<JobRequest> job = with_steps(bad);
    REQUIRE_FALSE(job.has_value());
    CHECK(paths(job.error()) == std::vector<std::string>{"/steps"});
  }
}

TEST_CASE("json: lists for the bridge are arrays") {
  CHECK(to_json(std::vector<JobStatus>{}) == "[]");
  CHECK(to_json(std::vector<FieldError>{{"/a", "b"}}) == R"([{"path":"/a","message":"b"}])");
  CHECK(
      to_json(std::vector<PoolModel>{{{"m", "sd15", {}, false, 0}, {WorkerId{"w"}}}}) ==
      R"([{"model":{"name":"m","family":"sd15","aliases":[],"loaded":false,"bytes":0},"workers":["w"],"paused":false}])");
}

TEST_CASE("json: text that is not UTF-8 and numbers that are not finite still give JSON") {
  Error error{ErrorCode::internal, "\xff", {}, std::numeric_limits<double>::infinity()};
  CHECK(to_json(error) ==
        "{\"code\":\"internal\",\"message\":\"\xef\xbf\xbd\",\"retryable\":true,\"retry_after_s\":null}");
}

TEST_CASE("json: a request that is no object is wrong as a whole") {
  for (const char* text : {"[]", "7", "null", "\"x\""}) {
    INFO(text);
    const Result<JobRequest> job = parse_job_request(text);
    REQUIRE_FALSE(job.has_value());
    CHECK(paths(job.error()) == std::vector<std::string>{""});
    CHECK(from_json<Request>(text).error().code == ErrorCode::malformed_message);
  }
}

}  // namespace waggle::codec::test
