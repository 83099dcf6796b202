// Ids, seeds and digests by libsodium.
#include "consumer/queen/job_id.h"

#include <array>
#include <stdexcept>
#include <vector>

#include <sodium.h>

#include "schemas/codec/msgpack.h"

namespace waggle::queen {
namespace {

void need_sodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium finds no source of randomness");
}

template <std::size_t n>
std::string hex(const std::array<unsigned char, n>& bytes) {
  std::vector<char> text(2 * n + 1);
  sodium_bin2hex(text.data(), text.size(), bytes.data(), n);
  return std::string(text.data(), 2 * n);
}

}  // namespace

JobId new_job_id(std::chrono::system_clock::time_point now) {
  need_sodium();
  std::array<unsigned char, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  const auto ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x70);  // version 7
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // variant 10
  std::string text = hex(bytes);
  for (const std::size_t dash : {8, 13, 18, 23}) text.insert(dash, 1, '-');
  return JobId(std::move(text));
}

std::int64_t new_seed() {
  need_sodium();
  return randombytes_random();
}

std::string digest(const JobRequest& request) {
  need_sodium();
  const std::string bytes = codec::to_msgpack(request);
  std::array<unsigned char, crypto_generichash_BYTES> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return hex(hash);
}

}  // namespace waggle::queen
