// SHA-256 by libsodium.
#include "consumer/cli/inspect/content_id.h"

#include <array>
#include <string>

#include <sodium.h>

namespace waggle::cli {

BlobId content_id(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text{};
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  return BlobId("sha256:" + std::string(text.data()));
}

}  // namespace waggle::cli
