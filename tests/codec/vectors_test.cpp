// The stored vectors against the codec, in both directions, and against the samples that they were made from.
#include "tests/codec/vectors.h"

#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace waggle::codec::test {

TEST_CASE("vectors: what is stored is what the samples give, byte for byte") {
  std::set<std::string> expected;
  for (const Sample& sample : samples()) {
    const Vector vector = vector_of(sample);
    INFO(file_of(vector).string());
    expected.insert(file_of(vector).filename().string());
    std::ifstream file(file_of(vector), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    CHECK(text.str() == text_of(vector));
  }
  CHECK(expected.size() == samples().size());
  CHECK(stored_vectors().size() == samples().size());
}

TEST_CASE("vectors: MessagePack and JSON of a vector read as the same value and are written back unchanged") {
  const std::vector<Vector> vectors = stored_vectors();
  REQUIRE(vectors.size() > 40);
  for (const Vector& vector : vectors) {
    INFO(vector.kind << "." << vector.name);
    const Result<AnyMessage> from_text = decode_json(vector.kind, vector.json);
    REQUIRE(from_text.has_value());
    CHECK(nlohmann::ordered_json::parse(encode_json(*from_text)).dump() == vector.json);
    if (vector.msgpack.empty()) continue;
    const Result<AnyMessage> from_bytes = decode_msgpack(vector.kind, vector.msgpack);
    REQUIRE(from_bytes.has_value());
    CHECK(*from_bytes == *from_text);
    CHECK(to_hex(encode_msgpack(*from_bytes)) == to_hex(vector.msgpack));
  }
}

TEST_CASE("vectors: every sample survives the way there and back") {
  for (const Sample& sample : samples()) {
    INFO(kind(sample.value) << "." << sample.name);
    const Result<AnyMessage> from_text = decode_json(kind(sample.value), encode_json(sample.value));
    REQUIRE(from_text.has_value());
    CHECK(*from_text == sample.value);
    if (kind(sample.value) == "status") continue;
    const Result<AnyMessage> from_bytes = decode_msgpack(kind(sample.value), encode_msgpack(sample.value));
    REQUIRE(from_bytes.has_value());
    CHECK(*from_bytes == sample.value);
  }
}

TEST_CASE("vectors: every request, reply, event and control message has one") {
  std::set<std::string> have;
  for (const Sample& sample : samples()) {
    std::visit(
        [&](const auto& value) {
          if constexpr (requires { value.body; }) {
            have.insert(std::string(kind(sample.value)) + " " + std::string(name(value.body)));
          }
        },
        sample.value);
    if (const Control* control = std::get_if<Control>(&sample.value))
      have.insert("control " + std::string(name(*control)));
  }
  CHECK(have.size() == std::variant_size_v<RequestBody> + std::variant_size_v<ReplyBody> +
                           std::variant_size_v<EventBody> + std::variant_size_v<Control>);
}

}  // namespace waggle::codec::test
