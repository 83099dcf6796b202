// Seeded noise: 100,000 random inputs and every bit flip of every vector. Nothing may throw; whatever is read
// must be writable and read as the same value again.
#include <random>

#include <catch2/catch.hpp>

#include "tests/codec/vectors.h"

namespace waggle::codec::test {

namespace {

// Compared as bytes: the value of a hostile message need not equal itself (there is no NaN, but -0.0 and 0.0
// are one).
void check_stable(std::string_view kind, const Result<AnyMessage>& first) {
  if (!first.has_value()) return;
  const std::string bytes = encode_msgpack(*first);
  const Result<AnyMessage> second = decode_msgpack(kind, bytes);
  REQUIRE(second.has_value());
  REQUIRE(encode_msgpack(*second) == bytes);
}

}  // namespace

TEST_CASE("random bytes: 100,000 of them as MessagePack of every kind") {
  std::mt19937_64 random(20241123);
  std::string bytes;
  for (int round = 0; round < 100'000; ++round) {
    bytes.resize(random() % 64);
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (!bytes.empty() && round % 2 == 0)
      bytes[0] = static_cast<char>(0x80 | (random() & 15));  // begin as a map
    const std::string_view kind = msgpack_kinds()[static_cast<std::size_t>(round) % msgpack_kinds().size()];
    check_stable(kind, decode_msgpack(kind, bytes));
  }
}

TEST_CASE("random bytes: 100,000 of them as JSON") {
  constexpr std::string_view kAlphabet = "{}[]\":,0123456789.eE+-truefalsn \\u\x01\xc3\xa9\xff";
  std::mt19937_64 random(7);
  std::string text;
  for (int round = 0; round < 100'000; ++round) {
    text.resize(random() % 48);
    for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
    const Result<AnyMessage> result = decode_json(round % 2 == 0 ? "job" : "request", text);
    if (result.has_value()) FAIL("noise was read as a message: " << text);
  }
}

TEST_CASE("random bytes: every bit of every vector flipped once") {
  for (const Vector& vector : stored_vectors()) {
    if (vector.msgpack.empty()) continue;
    std::string bytes = vector.msgpack;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const char mask = static_cast<char>(1 << (bit % 8));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
      check_stable(vector.kind, decode_msgpack(vector.kind, bytes));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    }
  }
}

TEST_CASE("random bytes: spliced vectors") {
  const std::vector<Vector> vectors = stored_vectors();
  std::mt19937_64 random(99);
  for (int round = 0; round < 50'000; ++round) {
    const Vector& head = vectors[random() % vectors.size()];
    const Vector& tail = vectors[random() % vectors.size()];
    if (head.msgpack.empty() || tail.msgpack.empty()) continue;
    const std::string bytes = head.msgpack.substr(0, random() % head.msgpack.size()) +
                              tail.msgpack.substr(random() % tail.msgpack.size());
    check_stable(head.kind, decode_msgpack(head.kind, bytes));
  }
}

}  // namespace waggle::codec::test
