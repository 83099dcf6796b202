// JSON that is nested to end the stack of whoever copies or prints it.
#include "pipeline/weights/shallow_json.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/models/unet_config.h"
#include "pipeline/weights/load_error.h"
#include "pipeline/weights/safetensors_header.h"
#include "pipeline/weights/weight_files.h"

using namespace waggle::pipeline;

namespace {

std::string nested(int levels) { return std::string(levels, '[') + std::string(levels, ']'); }

}  // namespace

TEST_CASE("shallow json: what is nested as deep as allowed is read, one bracket more is no JSON") {
  CHECK(parse_shallow_json(nested(kDeepestJson)).is_array());
  CHECK(parse_shallow_json(nested(kDeepestJson + 1)).is_discarded());
  CHECK(parse_shallow_json("{\"a\":[{\"b\":1.5}]}")["a"][0]["b"] == 1.5);
  CHECK(parse_shallow_json("{\"a\":").is_discarded());
  CHECK(parse_shallow_json("").is_discarded());
}

TEST_CASE("shallow json: files that are nested a million deep are refused by name") {
  constexpr int kMillion = 1'000'000;
  const auto file = std::filesystem::temp_directory_path() / "waggle-deep-config.json";
  std::ofstream(file) << "{\"act_fn\":" << nested(kMillion) << '}';
  CHECK_THROWS_WITH(UNetConfig::from(Config::read(file)), Catch::Contains("is not a JSON object"));
  std::filesystem::remove(file);

  CHECK_THROWS_AS(shards_of_index("{\"weight_map\":" + nested(kMillion) + '}', "index"), LoadError);

  const std::string header = "{\"a\":" + nested(kMillion) + '}';
  std::string weights;
  for (int shift = 0; shift < 64; shift += 8) weights += static_cast<char>(header.size() >> shift & 0xff);
  const auto parsed = parse_safetensors_header(weights + header, "deep.safetensors");
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().message == "deep.safetensors: the header is not a JSON object");
}

TEST_CASE("shallow json: an index names files of its own folder") {
  CHECK(shards_of_index(R"({"weight_map":{"a":"2.safetensors","b":"1.safetensors","c":"2.safetensors"}})",
                        "index") == std::vector<std::string>{"1.safetensors", "2.safetensors"});
  for (const char* name : {"../1.safetensors", "/etc/passwd", "..", ".", "", "a/b"}) {
    INFO(name);
    CHECK_THROWS_WITH(shards_of_index(nlohmann::json{{"weight_map", {{"a", name}}}}.dump(), "index"),
                      "index: names a file outside its folder");
  }
}
