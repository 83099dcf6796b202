// Base64 as pictures in JSON use it.
#include "schemas/codec/base64.h"

#include <catch2/catch.hpp>

namespace waggle::codec {

TEST_CASE("base64: the examples of RFC 4648, section 10") {
  const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(base64_encode(bytes) == text);
    CHECK(base64_decode(text) == bytes);
  }
}

TEST_CASE("base64: line breaks are skipped, padding may be left out") {
  CHECK(base64_decode("Zm9v\r\nYmFy\n") == "foobar");
  CHECK(base64_decode("Zm9vYg") == "foob");
}

TEST_CASE("base64: what is not base64 is refused") {
  for (const char* text : {"Zm9v!", "Z", "Zg=", "Zg==Zg==", "Zm_v", "====", "Zh=="}) {
    INFO(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("base64: every byte value survives") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  CHECK(base64_decode(base64_encode(bytes)) == bytes);
}

}  // namespace waggle::codec
