// Pictures: input blobs by the hash of their bytes, and the images of jobs.
#include <algorithm>
#include <array>

#include <sodium.h>

#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"

namespace waggle::ledger {
namespace {

// A picture whose job was refused after it had been stored: long enough for another try.
constexpr std::chrono::minutes kUnclaimed{10};

BlobId blob_id(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> text{};
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  return BlobId("sha256:" + std::string(text.data()));
}

}  // namespace

Result<BlobId> Ledger::put_blob(std::string_view bytes, const Policy& policy) {
  const BlobId id = blob_id(bytes);
  const std::string ttl = in_ms(std::min<std::chrono::milliseconds>(policy.image_ttl, kUnclaimed));
  // The same picture under many jobs is sent once.
  auto kept = impl_->redis.run(scripts::keep_blob,
                               {id.value, ttl, std::to_string(bytes.size()), PolicyText(policy).max_bytes});
  if (!kept) return std::move(kept).error();
  if (kept->number() == 1) return id;
  if (kept->number() < 0) return queue_full("bytes", policy);
  auto answer = impl_->redis.command(
      {"SET", impl_->redis.options().prefix + "blob:" + id.value, bytes, "PX", ttl, "NX"});
  if (!answer) return std::move(answer).error();
  return id;
}

Result<std::string> Ledger::blob(const BlobId& id) {
  auto answer = impl_->redis.command({"GET", impl_->redis.options().prefix + "blob:" + id.value});
  if (!answer) return std::move(answer).error();
  if (answer->is_nil) return Error{ErrorCode::not_found, "no such picture is stored"};
  return std::move(answer->text);
}

Result<std::string> Ledger::image(const JobId& id, int index) {
  auto answer = impl_->redis.run(scripts::image, {id.value, std::to_string(index)});
  if (!answer) return std::move(answer).error();
  const std::string& word = answer->at(0).text;
  if (word == "found") return answer->at(1).text;
  if (auto error = missing_job(word)) return *error;
  if (word == "retired") return Error{ErrorCode::job_expired, "the image has been retired"};
  return Error{ErrorCode::not_found, "the job has no such image"};
}

}  // namespace waggle::ledger
