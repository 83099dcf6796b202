// Reap, publish, sleep.
#include "consumer/queen/reaper.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "consumer/ledger/ledger.h"
#include "consumer/queen/announcer.h"
#include "consumer/queen/job_id.h"
#include "consumer/queen/presence.h"

namespace waggle::queen {
namespace {

constexpr int kPage = 100;  // transitions in one script, so that Redis is never held for long

/// The workers that died. That Redis shows no connections (its access list may forbid it) is no failure: then
/// leases run out by themselves.
std::vector<std::string> look_for_the_dead(ledger::Ledger& ledger, Presence& presence) {
  // In this order: who claims in between is missing in neither.
  const auto holders = ledger.holders();
  if (!holders) return {};
  const auto connected = ledger.connected();
  if (!connected) return {};
  return presence.missing(*holders, *connected, Presence::Clock::now());
}

void end_leases(ledger::Ledger& ledger, const std::vector<std::string>& gone) {
  const auto ended = ledger.vanish(gone);
  if (ended && *ended > 0) spdlog::warn("{} leases end: their workers' connections are closed", *ended);
}

/// One round; false when Redis does not answer.
bool reap(ledger::Ledger& ledger, Announcer& announcer, Presence& presence, const Options& options,
          std::string_view queen) {
  auto held = ledger.hold_reaper_lock(queen, 3 * options.reap_every);
  if (!held) return false;
  // All queens look, so that who takes the lock over from a dead one has begun to miss those that died with
  // it.
  const auto gone = look_for_the_dead(ledger, presence);
  if (*held) end_leases(ledger, gone);
  while (*held) {
    auto reaped = ledger.reap(options.policy, kPage);
    if (!reaped) return false;
    for (const ledger::Reaped& job : reaped->reaped) {
      spdlog::warn("job {}: {} by the reaper", job.job.value, name(job.event.body));
      announcer.event(job.event);
      if (std::holds_alternative<RetriedEvent>(job.event.body)) announcer.job(job.job, job.model);
    }
    if (!reaped->more) return true;
  }
  return true;
}

void run(std::stop_token stop, const Options options, bus::Context& context, const std::string& proxy) {
  ledger::Ledger ledger(options.redis);
  Announcer announcer(context, proxy);
  const std::string queen = new_job_id().value;  // any unique name does
  std::mutex mutex;
  std::condition_variable_any wake;
  Presence presence(options.missed_after);
  bool answering = true;
  while (!stop.stop_requested()) {
    const bool answers = reap(ledger, announcer, presence, options, queen);
    if (answers != answering)
      answers ? spdlog::info("Redis answers again") : spdlog::error("Redis does not answer");
    answering = answers;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, options.reap_every, [] { return false; });
  }
}

}  // namespace

Reaper::Reaper(const Options& options, bus::Context& context, const std::string& proxy)
    : thread_([options, &context, proxy](std::stop_token stop) {
        try {
          run(stop, options, context, proxy);
        } catch (const std::exception& error) {
          // Other queens reap too, and this one still serves: going on without is better than taking requests
          // down.
          spdlog::critical("the reaper has stopped: {}", error.what());
        }
      }) {}

}  // namespace waggle::queen
