// Fans each job's event log out to its readers: one subscription and one log reader per job, however many
// read it.
//
// A channel keeps the newest frames of its job in a bounded ring. A reader has nothing but its position: it
// takes what follows it from the ring, or, when it is further back, from the ledger. So a slow reader costs
// no memory. Everything here lives on the event loop's thread.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "consumer/bridge/asio.h"
#include "consumer/bridge/bus_link.h"
#include "consumer/bridge/frame.h"
#include "consumer/bridge/ledger_pool.h"
#include "consumer/bridge/settings.h"

namespace waggle::bridge {

/// A flag that a coroutine waits for. Setting it before the wait is not lost.
class Wake {
 public:
  explicit Wake(asio::io_context& io) : timer_(io) {}
  void set() {
    set_ = true;
    timer_.cancel();
  }
  /// Until set or the time has passed; clears it. True when it was set.
  asio::awaitable<bool> wait(std::chrono::milliseconds timeout);

 private:
  asio::steady_timer timer_;
  bool set_ = false;
};

class StreamHub;

/// One job that somebody follows.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  Channel(StreamHub& hub, JobId job, EventId from);

  /// What follows `position` in the ring (maybe nothing yet) and always the frame that ends the job; or
  /// nothing when the ring begins later.
  [[nodiscard]] std::optional<std::vector<FramePtr>> after(const EventId& position) const;
  /// Up to a page of the log after `position`, for a reader that is behind the ring.
  asio::awaitable<Result<LogRead>> read(EventId position);
  void news();  ///< a hint from the bus
  /// Where the ring begins: a reader that finds the log empty up to here goes on from here.
  [[nodiscard]] const EventId& floor() const { return floor_; }
  [[nodiscard]] const EventId& head() const { return head_; }

 private:
  friend class StreamHub;
  friend class Reader;
  asio::awaitable<void> pump();
  void take(const LogRead& read);
  void end(const Error& error);
  void tell_readers();

  StreamHub& hub_;
  const JobId job_;
  std::deque<FramePtr> ring_;
  std::size_t ring_bytes_ = 0;
  EventId floor_, head_;  ///< the ring holds every event after floor_ and up to head_
  bool running_ = true, ended_ = false;
  Wake wake_;
  std::unordered_set<Wake*> readers_;
};

/// A reader's place in a channel; leaving is its destruction.
class Reader {
 public:
  Reader(std::shared_ptr<Channel> channel, Wake& wake);
  ~Reader();
  Reader(Reader&& other) noexcept = default;
  Reader& operator=(Reader&&) = delete;
  [[nodiscard]] Channel& channel() const { return *channel_; }

 private:
  std::shared_ptr<Channel> channel_;
  Wake* wake_;
};

class StreamHub {
 public:
  StreamHub(asio::io_context& io, LedgerPool& pool, BusLink& bus, const Settings& settings);

  /// Joins the readers of a job; `wake` is set whenever there may be more to read.
  Reader join(const JobId& job, const EventId& after, Wake& wake);
  /// Ends every log reader and wakes every stream, which then find `stopping`.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] std::size_t channels() const { return channels_.size(); }
  [[nodiscard]] asio::io_context& io() const { return io_; }

 private:
  friend class Channel;
  friend class Reader;
  void leave(const std::shared_ptr<Channel>& channel, Wake* wake);
  void retire(const Channel& channel);

  asio::io_context& io_;
  LedgerPool& pool_;
  BusLink& bus_;
  const Settings& settings_;
  std::unordered_map<JobId, std::shared_ptr<Channel>> channels_;
  bool stopping_ = false;
};

}  // namespace waggle::bridge
