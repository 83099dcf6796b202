// The buckets.
#include "consumer/program/rate_limiter.h"

#include <algorithm>

namespace waggle::program {
namespace {

// Clients remembered at once. Whoever opens so many connections to get as many buckets starts all anew with
// them.
constexpr std::size_t kMostClients = 20'000;

}  // namespace

double RateLimiter::tokens_of(const Bucket& bucket, Clock::time_point now) const {
  const double since = std::chrono::duration<double>(now - bucket.filled_at).count();
  return std::min(burst_, bucket.tokens + since * per_second_);
}

void RateLimiter::forget(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) { return tokens_of(entry.second, now) >= burst_; });
  if (buckets_.size() >= kMostClients) buckets_.clear();
}

std::optional<double> RateLimiter::refuse(std::string_view client, Clock::time_point now) {
  if (per_second_ <= 0) return std::nullopt;
  if (buckets_.size() >= kMostClients) forget(now);
  Bucket& bucket = buckets_.try_emplace(std::string(client), Bucket{burst_, now}).first->second;
  bucket = {tokens_of(bucket, now), now};
  if (bucket.tokens < 1) return (1 - bucket.tokens) / per_second_;
  bucket.tokens -= 1;
  return std::nullopt;
}

void RateLimiter::charge(std::string_view client, double tokens) {
  const auto found = buckets_.find(std::string(client));
  if (found != buckets_.end()) found->second.tokens -= tokens;
}

}  // namespace waggle::program
