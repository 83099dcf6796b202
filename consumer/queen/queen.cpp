// The request loop.
#include "consumer/queen/queen.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include <spdlog/spdlog.h>

#include "schemas/codec/msgpack.h"

namespace waggle::queen {

using namespace std::chrono_literals;

Queen::Queen(Options options)
    : options_(std::move(options)),
      context_(options_.security),
      proxy_(context_, options_.listen.collect, options_.listen.publish),
      server_(context_, options_.listen.requests),
      announcer_(context_, proxy_.inproc_endpoint()),
      ledger_(options_.redis),
      pool_(ledger_),
      desk_{options_, ledger_, announcer_, pool_, std::chrono::steady_clock::now()},
      limiter_(options_.rate_limit, options_.rate_burst),
      reaper_(options_, context_, proxy_.inproc_endpoint()) {}

bus::Endpoints Queen::endpoints() const {
  return {server_.endpoint(), proxy_.publish_endpoint(), proxy_.collect_endpoint()};
}

void Queen::run(const std::function<bool()>& stop) {
  while (!stop()) {
    const auto incoming = server_.receive(100ms);
    if (!incoming) continue;
    desk_.bad_frames = server_.malformed();
    desk_.malformed_events = proxy_.malformed_events();
    desk_.malformed_subscriptions = proxy_.malformed_subscriptions();
    const std::string reply = answer_message(incoming->payload, incoming->sender);
    if (!reply.empty()) server_.reply(incoming->client, reply);
  }
}

std::optional<double> Queen::refusal(std::string_view sender) {
  if (sender.empty()) return std::nullopt;
  if (options_.security && std::ranges::count(options_.security->unlimited_keys, sender) > 0) {
    return std::nullopt;
  }
  return limiter_.refuse(sender, program::RateLimiter::Clock::now());
}

std::string Queen::answer_message(std::string_view payload, std::string_view sender) noexcept {
  RequestId id;
  Error error{ErrorCode::internal, "the queen could not answer this request"};
  try {
    // Before anything is decoded: a flood shall cost as little as it can.
    if (const auto wait_s = refusal(sender)) {
      ++desk_.rate_limited;
      const Error slower{ErrorCode::rate_limited, "too many requests of this client", {}, *wait_s};
      id = codec::peek_request_id(payload);
      return id.empty() ? std::string() : codec::to_msgpack(Reply{id, Rejected{slower}});
    }
    auto request = codec::from_msgpack<Request>(payload);
    if (request) {
      id = request->id;
      if (const auto* many = std::get_if<SubmitManyRequest>(&request->body);
          many != nullptr && many->jobs.size() > 1) {
        limiter_.charge(sender, static_cast<double>(many->jobs.size() - 1));
      }
      return codec::to_msgpack(Reply{id, answer(desk_, request->body)});
    }
    ++desk_.malformed;
    id = codec::peek_request_id(payload);
    error = std::move(request).error();
  } catch (const std::exception& exception) {
    spdlog::error("request {}: {}", id.value, exception.what());
  } catch (...) {
    spdlog::error("request {}: an exception of an unknown kind", id.value);
  }
  if (id.empty()) return {};
  try {
    return codec::to_msgpack(Reply{id, Rejected{error}});
  } catch (...) {
    return {};  // out of memory twice in a row: the client asks again
  }
}

}  // namespace waggle::queen
