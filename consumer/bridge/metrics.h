// What the bridge counts about itself, for Prometheus.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "schemas/message.h"

namespace waggle::bridge {

/// Called on the event loop's thread alone.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void answered(std::string_view route, std::string_view method, int status,
                std::chrono::duration<double> took);
  void connections(std::size_t open);
  void streams(std::size_t open);
  void channels(std::size_t open);
  void sent_events(std::size_t count);
  /// The queue as a queen sees it; left out of the text until it has been told once.
  void queue(const StatsReply& stats);

  /// Messages from queens that were none, since the bridge's start.
  void malformed(std::uint64_t count);

  /// The text exposition format, version 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace waggle::bridge
