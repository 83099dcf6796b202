// The bridge's one thread on the bus: asks the queen and hears which jobs have news.
//
// Events on a topic are hints here: only the job's id is passed on, the event itself is read from the
// ledger's log, so a lost, repeated or reordered message cannot harm a stream. Everything public is called on
// the event loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <variant>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/settings.h"
#include "schemas/message.h"
#include "schemas/result.h"

namespace waggle::bridge {

class BusLink {
 public:
  BusLink(asio::io_context& io, const Settings& settings);
  ~BusLink();
  BusLink(const BusLink&) = delete;
  BusLink& operator=(const BusLink&) = delete;

  /// The queen's answer. Errors: what it rejected with; `unavailable` when none answers in time.
  asio::awaitable<Result<ReplyBody>> ask(RequestBody body, std::chrono::milliseconds timeout);
  asio::awaitable<Result<ReplyBody>> ask(RequestBody body);  ///< within the settings' queen_timeout

  /// From now on `on_news` is told of events of this job; until unfollow(). Not counted: follow once.
  void follow(const JobId& job);
  void unfollow(const JobId& job);
  /// Set once, before the loop runs; called on the loop's thread.
  void on_news(std::function<void(const JobId&)> listener);

  /// Answers what still waits with `unavailable` and ends the thread.
  /// Messages that were none, since the start. From any thread.
  [[nodiscard]] std::uint64_t malformed() const;
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The reply as the type that belongs to the request; any other type is an `internal` error.
template <class T>
Result<T> as(Result<ReplyBody> reply) {
  if (!reply) return std::move(reply).error();
  if (T* body = std::get_if<T>(&*reply)) return std::move(*body);
  return Error{ErrorCode::internal, "the queen answered something else"};
}

}  // namespace waggle::bridge
