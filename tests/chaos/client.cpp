// Asking until there is an answer.
#include "tests/chaos/client.h"

#include <utility>

#include "consumer/program/queens.h"
#include "schemas/codec/msgpack.h"

namespace waggle::chaos {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 800ms;      // for an answer
constexpr auto kAfterRefusal = 100ms;  // the queen said that Redis does not answer

}  // namespace

Client::Client(bus::Context& context, const std::vector<bus::Endpoints>& queens, Answered answered)
    : socket_(context, program::each(queens, &bus::Endpoints::requests)), answered_(std::move(answered)) {}

void Client::ask(int number, RequestBody body) {
  const std::size_t question = next_question_++;
  open_.emplace(question, Question{number, std::move(body), {}});
  send(question);
}

bool Client::send(std::size_t question) {
  Question& asked = open_.at(question);
  const RequestId id("chaos-" + std::to_string(next_request_++));
  sent_.emplace(id, question);
  asked.send_at = Clock::now() + kPatience;
  return socket_.send(codec::to_msgpack(Request{id, asked.body})).has_value();
}

void Client::pump(std::chrono::milliseconds wait) {
  for (auto payload = socket_.receive(wait); payload; payload = socket_.receive(0ms)) take(*payload);
  std::vector<std::size_t> due;
  for (const auto& [question, asked] : open_) {
    if (Clock::now() >= asked.send_at) due.push_back(question);
  }
  for (const std::size_t question : due) {
    // No queen is there; trying costs time in which the loop mends nothing.
    if (!send(question)) return;
  }
}

void Client::take(const std::string& payload) {
  const auto reply = codec::from_msgpack<Reply>(payload);
  if (!reply) return;
  const auto sent = sent_.find(reply->id);
  if (sent == sent_.end()) return;
  const auto open = open_.find(sent->second);
  const auto* rejected = std::get_if<Rejected>(&reply->body);
  const bool refused = rejected != nullptr && rejected->error.code == ErrorCode::unavailable;
  if (open == open_.end()) {
    // The first answer counted; this one must not say anything else.
    const Question& asked = closed_.at(sent->second);
    if (!refused) answered_(asked.number, asked.body, reply->body);
    return;
  }
  if (refused) {
    open->second.send_at = Clock::now() + kAfterRefusal;
    return;
  }
  auto asked = closed_.insert(open_.extract(open)).position;
  answered_(asked->second.number, asked->second.body, reply->body);
}

}  // namespace waggle::chaos
