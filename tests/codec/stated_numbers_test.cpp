// Numbers and names stated in PROTOCOL.md and in the JSON Schema files, against limits.h and the error table.
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "schemas/limits.h"
#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

using nlohmann::json;
using namespace limits;

std::string read_text(const std::string& name) {
  std::ifstream file(std::string(WAGGLE_SCHEMAS_DIR) + "/" + name, std::ios::binary);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

json read_schema(const std::string& name) {
  return json::parse(read_text("json-schema/" + name + ".schema.json"));
}

// The line of PROTOCOL.md's job table that is about this field.
std::string protocol_row(const std::string& field) {
  static const std::string text = read_text("PROTOCOL.md");
  std::istringstream lines(text.substr(text.find("## A job")));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| ") &&
        line.substr(0, line.find('|', 2)).find("`" + field + "`") != std::string::npos)
      return line;
  }
  FAIL("PROTOCOL.md has no row for " << field);
  return {};
}

template <class Number>
std::string text_of(Number number) {
  return json(number).dump();
}

template <class Number>
void check_range(const std::string& field, Number low, Number high) {
  const json schema = read_schema("job")["properties"][field];
  INFO(field);
  CHECK(schema["minimum"] == low);
  CHECK(schema["maximum"] == high);
  CHECK(protocol_row(field).find(text_of(low) + ".." + text_of(high)) != std::string::npos);
}

void check_length(const std::string& field, std::size_t high) {
  INFO(field);
  CHECK(read_schema("job")["properties"][field]["maxLength"] == high);
  CHECK(protocol_row(field).find(text_of(high)) != std::string::npos);
}

}  // namespace

TEST_CASE("stated numbers: ranges of a job") {
  check_range("steps", kMinSteps, kMaxSteps);
  check_range("guidance_scale", static_cast<int>(kMinGuidance), static_cast<int>(kMaxGuidance));
  check_range("seed", std::int64_t{0}, kMaxSeed);
  check_range("clip_skip", 0, kMaxClipSkip);
  check_range("deep_cache", 1, kMaxDeepCache);
  check_range("n", 1, kMaxImagesPerJob);
  check_range("preview_every", 1, kMaxPreviewEvery);
  check_range("priority", kMinPriority, kMaxPriority);
  check_range("max_attempts", 1, kMaxAttempts);
  check_range("width", kMinSide, kMaxSide);
  check_range("height", kMinSide, kMaxSide);
}

TEST_CASE("stated numbers: the rest of a job") {
  const json job = read_schema("job")["properties"];
  CHECK(job["width"]["multipleOf"] == kSideMultiple);
  CHECK(job["deadline_s"]["maximum"] == kMaxDeadlineSeconds);
  CHECK(protocol_row("deadline_s").find(text_of(static_cast<int>(kMaxDeadlineSeconds))) != std::string::npos);
  CHECK(protocol_row("width").find(text_of(kMaxPixels)) != std::string::npos);
  CHECK(job["loras"]["maxItems"] == kMaxLoras);
  CHECK(job["loras"]["items"]["properties"]["strength"]["minimum"] == kMinLoraStrength);
  CHECK(job["loras"]["items"]["properties"]["strength"]["maximum"] == kMaxLoraStrength);
  CHECK(job["loras"]["items"]["properties"]["path"]["maxLength"] == kMaxNameBytes);
  CHECK(job["vae"]["maxLength"] == kMaxNameBytes);
  CHECK(job["token_merging"]["maximum"] == kMaxTokenMerging);
  CHECK(protocol_row("token_merging").find("0.." + text_of(kMaxTokenMerging)) != std::string::npos);
  CHECK(protocol_row("loras").find("at most " + text_of(kMaxLoras)) != std::string::npos);
  const json control = job["controls"]["items"]["properties"];
  CHECK(job["controls"]["maxItems"] == kMaxControls);
  CHECK(control["path"]["maxLength"] == kMaxNameBytes);
  CHECK(control["strength"]["maximum"] == kMaxControlStrength);
  CHECK(protocol_row("controls").find("at most " + text_of(kMaxControls)) != std::string::npos);
  const json hires = job["hires"]["properties"];
  CHECK(hires["scale"]["maximum"] == kMaxHiresScale);
  CHECK(hires["width"]["maximum"] == kMaxSide);
  CHECK(hires["steps"]["maximum"] == kMaxSteps);
  CHECK(hires["strength"]["default"] == Hires{}.strength);
  CHECK(job["refiner"]["properties"]["start"]["default"] == Refiner{}.start);
  CHECK(protocol_row("hires").find("1.." + text_of(static_cast<int>(kMaxHiresScale))) != std::string::npos);
  const json inpaint = read_schema("job")["allOf"][1]["then"]["properties"];
  CHECK(inpaint["mask_blur"]["maximum"] == kMaxMaskBlur);
  CHECK(inpaint["only_masked_padding"]["maximum"] == kMaxMaskPadding);
  CHECK(protocol_row("mask_blur").find("0.." + text_of(static_cast<int>(kMaxMaskBlur))) != std::string::npos);
  CHECK(protocol_row("only_masked_padding").find("0.." + text_of(kMaxMaskPadding)) != std::string::npos);
  CHECK(protocol_row("input_image").find(text_of(kMaxPictureBytes)) != std::string::npos);
  for (const char* field : {"prompt", "negative_prompt"}) check_length(field, kMaxPromptBytes);
  for (const char* field : {"model", "sampler", "schedule", "hive_id", "traceparent"})
    check_length(field, kMaxNameBytes);
  check_length("idempotency_key", kMaxIdempotencyKeyBytes);
}

TEST_CASE("stated numbers: defaults are those of the structs") {
  const json job = read_schema("job")["properties"];
  const json defaults = json::parse(to_json(JobRequest{}));
  for (const auto& [field, schema] : job.items()) {
    if (!schema.contains("default")) continue;
    INFO(field);
    CHECK(defaults.at(field) == schema["default"]);
  }
}

TEST_CASE("stated numbers: messages") {
  const std::string protocol = read_text("PROTOCOL.md");
  for (const std::size_t number : {kMaxMessageBytes, kMaxBodyBytes, kMaxElements, kMaxTopicBytes,
                                   kMaxSubmitMany, static_cast<std::size_t>(kMaxPicturePixels)}) {
    INFO(number);
    CHECK(protocol.find(" " + std::to_string(number)) != std::string::npos);
  }
  CHECK(protocol.find("more than " + std::to_string(kMaxDepth) + " levels") != std::string::npos);
  CHECK(read_schema("request")["oneOf"][1]["properties"]["jobs"]["maxItems"] == kMaxSubmitMany);
}

TEST_CASE("stated numbers: PROTOCOL.md has the error table, row by row") {
  const std::string protocol = read_text("PROTOCOL.md");
  const json examples = read_schema("error")["properties"]["code"]["examples"];
  REQUIRE(examples.size() == error_table().size());
  for (std::size_t i = 0; i < error_table().size(); ++i) {
    const ErrorTraits& row = error_table()[i];
    const std::string line = "| `" + std::string(row.name) + "` | " + (row.retryable ? "yes" : "no") + " | " +
                             std::to_string(row.http_status) + " | ";
    INFO(line);
    CHECK(protocol.find(line) != std::string::npos);
    CHECK(examples[i] == row.name);
  }
}

TEST_CASE("stated numbers: every field of every vector is described in its JSON Schema and in PROTOCOL.md") {
  const std::string protocol = read_text("PROTOCOL.md");
  for (const Vector& vector : stored_vectors()) {
    const json message = json::parse(vector.json);
    json schema = read_schema(vector.kind);
    if (schema.contains("oneOf")) {
      for (const json& one : json(schema["oneOf"])) {
        if (one["properties"]["type"]["const"] == message["type"]) schema = one;
      }
    }
    const std::string text = schema.dump();
    for (const auto& [field, value] : message.items()) {
      INFO(vector.kind << "." << vector.name << " " << field);
      CHECK(text.find("\"" + field + "\":") != std::string::npos);
      // A status is described by its schema alone.
      if (vector.kind != "status") CHECK(protocol.find("`" + field) != std::string::npos);
    }
  }
}

}  // namespace waggle::codec::test
