// One question to each Sentinel. Whether the named server really is the master, its connection finds out.
#include "consumer/ledger/sentinel.h"

#include <charconv>
#include <memory>

#include <hiredis/hiredis.h>

namespace waggle::ledger {
namespace {

constexpr timeval kPatience{0, 500'000};

Result<Address> ask(const Address& sentinel, const std::string& master) {
  const Error silent{ErrorCode::unavailable, "the Sentinel at " + sentinel.host + ":" +
                                                 std::to_string(sentinel.port) + " does not answer"};
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(
      redisConnectWithTimeout(sentinel.host.c_str(), sentinel.port, kPatience), &redisFree);
  if (!context || context->err != 0) return silent;
  redisSetTimeout(context.get(), kPatience);
  const std::unique_ptr<redisReply, void (*)(void*)> reply(
      static_cast<redisReply*>(
          redisCommand(context.get(), "SENTINEL get-master-addr-by-name %b", master.data(), master.size())),
      &freeReplyObject);
  if (!reply) return silent;
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
      reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_STRING) {
    return Error{ErrorCode::unavailable, "the Sentinel knows no master of this name"};
  }
  const std::string_view port(reply->element[1]->str, static_cast<std::size_t>(reply->element[1]->len));
  Address address{{reply->element[0]->str, static_cast<std::size_t>(reply->element[0]->len)}, 0};
  std::from_chars(port.data(), port.data() + port.size(), address.port);
  return address;
}

}  // namespace

Result<Address> ask_sentinels(const Options& options) {
  Error last{ErrorCode::unavailable, "no Sentinel is named"};
  for (const Address& sentinel : options.sentinels) {
    auto master = ask(sentinel, options.master_name);
    if (master) return master;
    last = master.error();
  }
  return last;
}

}  // namespace waggle::ledger
