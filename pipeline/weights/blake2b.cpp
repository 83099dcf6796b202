// BLAKE2b by libsodium.
#include "pipeline/weights/blake2b.h"

#include <array>
#include <stdexcept>

#include <sodium.h>

namespace waggle::pipeline {

Blake2b::Blake2b() {
  // Also what picks the implementation for this processor.
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
  crypto_generichash_init(&state_, nullptr, 0, crypto_generichash_BYTES);
}

void Blake2b::add(std::string_view bytes) {
  crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string Blake2b::finish() {
  std::array<unsigned char, crypto_generichash_BYTES> digest{};
  crypto_generichash_final(&state_, digest.data(), digest.size());
  std::array<char, 2 * crypto_generichash_BYTES + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return hex.data();
}

}  // namespace waggle::pipeline
