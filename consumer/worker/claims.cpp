// Tokens, repetitions, and who hears of grants.
#include "consumer/worker/claims.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace waggle::worker {
namespace {

using namespace std::chrono_literals;

/// A claim is small, and one whose answer was lost is made again with its token. A stop waits for it.
ledger::Options impatient(ledger::Options options) {
  options.connect_timeout = std::min(options.connect_timeout, std::chrono::milliseconds(500));
  options.command_timeout = std::min(options.command_timeout, std::chrono::milliseconds(1000));
  return options;
}

}  // namespace

Claims::Claims(const Settings& settings)
    : settings_(settings),
      ledger_(impatient(settings.redis)),
      grants_(impatient(settings.redis), settings.id, settings.instance) {}

std::string Claims::token() const { return settings_.instance + ":" + std::to_string(number_); }

std::vector<ledger::ClaimedJob> Claims::claim(ledger::ClaimQuery query, bool may_stand) {
  query.worker = settings_.id;
  query.repeated = repeats_ || stands_;
  if (!query.repeated) ++number_;
  query.token = token();
  models_ = query.models;
  // A worker that is stopped or cut off stands for little longer than until it would have looked again.
  if (may_stand && answers_ && grants_.listen()) query.wait = settings_.idle_poll + 1500ms;
  auto claimed = ledger_.claim(query, settings_.policy);
  repeats_ = !claimed && claimed.error().code == ErrorCode::unavailable;
  if (claimed.has_value() != answers_) {
    answers_ = claimed.has_value();
    answers_ ? spdlog::info("claims work again") : spdlog::error("claim: {}", to_string(claimed.error()));
  }
  if (!claimed) return {};
  stands_ = claimed->empty() && query.wait.count() > 0;
  return std::move(claimed).value();
}

std::vector<ledger::ClaimedJob> Claims::granted() {
  std::vector<ledger::ClaimedJob> jobs;
  for (ledger::Grants::Grant& grant : grants_.receive()) {
    // An older one's has been found by the claim itself, made again.
    if (!stands_ || grant.token != token()) continue;
    // That is the claim's answer, also when it was made again and nothing was heard: it must not ask once
    // more for what it has.
    stands_ = repeats_ = false;
    jobs.push_back(std::move(grant.job));
  }
  return jobs;
}

std::vector<ledger::ClaimedJob> Claims::withdraw() {
  // Redis does not answer: it stands for its time.
  if (!stands_ || repeats_) return {};
  ledger::ClaimQuery nothing;
  nothing.models = models_;
  nothing.room = 0;
  return claim(std::move(nothing), false);
}

}  // namespace waggle::worker
