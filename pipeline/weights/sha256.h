// SHA-256 (FIPS 180-4), for telling weight files apart by their content. Not for secrets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace waggle::pipeline {

class Sha256 {
 public:
  void add(std::string_view bytes);
  /// The digest of all that was added, as 64 hexadecimal digits. The object is spent.
  [[nodiscard]] std::string finish();

 private:
  void compress(const unsigned char* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};
  std::size_t in_block_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace waggle::pipeline
