// Fuzz entry of the codec. The first byte picks the notation and the kind of message, the rest is the input.
// Whatever is read must be writable and read as the same value again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/codec/vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle::codec::test;
  if (size == 0) return 0;
  const std::string_view kind = msgpack_kinds()[(data[0] >> 1) % msgpack_kinds().size()];
  const bool json = (data[0] & 1) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto decode = [&](std::string_view bytes) {
    return json ? decode_json(kind, bytes) : decode_msgpack(kind, bytes);
  };
  const auto encode = [&](const AnyMessage& message) {
    return json ? encode_json(message) : encode_msgpack(message);
  };
  const waggle::Result<AnyMessage> first = decode(input);
  if (!first.has_value()) return 0;
  const std::string written = encode(*first);
  const waggle::Result<AnyMessage> second = decode(written);
  if (!second.has_value() || encode(*second) != written) std::abort();
  return 0;
}
