// How many requests a client may send: a bucket of tokens for each. Keeps a flood from taking the ledger's
// time. Who a client is, its user says.
//
// Pure: the time is given. Not thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace waggle::program {

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// `per_second` tokens come in, up to `burst`. 0 per second: no limit.
  RateLimiter(double per_second, double burst) : per_second_(per_second), burst_(burst) {}

  /// Nothing when the client may send a request now, which takes a token; else the seconds until he may.
  std::optional<double> refuse(std::string_view client, Clock::time_point now);
  /// The request turned out to be worth so many more. May leave a debt, so that one large request passes.
  void charge(std::string_view client, double tokens);

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point filled_at{};
  };
  /// Forgets clients whose bucket is full again: they are as if new.
  void forget(Clock::time_point now);
  [[nodiscard]] double tokens_of(const Bucket& bucket, Clock::time_point now) const;

  const double per_second_, burst_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace waggle::program
