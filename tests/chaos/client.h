// A client of the queens that gives up nothing: a request without an answer goes out again, to whichever
// queen takes it, under the same idempotency key. Late answers count like any other.
//
// Sees `unavailable` as a reason to ask again and everything else as an answer. Single-threaded.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "consumer/bus/bus.h"
#include "schemas/message.h"

namespace waggle::chaos {

class Client {
 public:
  /// The answer to what was asked about the job of this number.
  using Answered = std::function<void(int number, const RequestBody& asked, const ReplyBody& reply)>;

  Client(bus::Context& context, const std::vector<bus::Endpoints>& queens, Answered answered);

  void ask(int number, RequestBody body);
  /// Takes what has come, and sends again what has waited for too long.
  void pump(std::chrono::milliseconds wait);
  /// Questions without an answer yet.
  [[nodiscard]] std::size_t waiting() const { return open_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Question {
    int number = 0;
    RequestBody body;
    Clock::time_point send_at{};
  };
  /// False when no queen takes it: it goes out again when its time comes.
  bool send(std::size_t question);
  void take(const std::string& payload);

  bus::RequestClient socket_;
  const Answered answered_;
  std::unordered_map<std::size_t, Question> open_;
  std::unordered_map<RequestId, std::size_t> sent_;  ///< every id ever used
  std::unordered_map<std::size_t, Question> closed_;
  std::size_t next_question_ = 0, next_request_ = 0;
};

}  // namespace waggle::chaos
