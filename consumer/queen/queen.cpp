// The request loop.
#include "consumer/queen/queen.h"

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
      reaper_(options_, context_, proxy_.inproc_endpoint()) {}

bus::Endpoints Queen::endpoints() const {
  return {server_.endpoint(), proxy_.publish_endpoint(), proxy_.collect_endpoint()};
}

void Queen::run(const std::function<bool()>& stop) {
  while (!stop()) {
    const auto incoming = server_.receive(100ms);
    if (!incoming) continue;
    desk_.bad_frames = server_.malformed();
    const std::string reply = answer_message(incoming->payload);
    if (!reply.empty()) server_.reply(incoming->client, reply);
  }
}

std::string Queen::answer_message(std::string_view payload) noexcept {
  RequestId id;
  Error error{ErrorCode::internal, "the queen could not answer this request"};
  try {
    auto request = codec::from_msgpack<Request>(payload);
    if (request) {
      id = request->id;
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
