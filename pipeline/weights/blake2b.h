// BLAKE2b (RFC 7693) of 32 bytes, for telling weight files apart by their content. Some three times as fast
// as SHA-256 without instructions for that.
#pragma once

#include <string>
#include <string_view>

#include <sodium/crypto_generichash.h>

namespace waggle::pipeline {

class Blake2b {
 public:
  Blake2b();
  void add(std::string_view bytes);
  /// The digest of all that was added, as 64 hexadecimal digits. The object is spent.
  [[nodiscard]] std::string finish();

 private:
  crypto_generichash_state state_;
};

}  // namespace waggle::pipeline
