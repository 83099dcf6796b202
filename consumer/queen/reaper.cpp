// Reap, publish, sleep.
#include "consumer/queen/reaper.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <variant>

#include <spdlog/spdlog.h>

#include "consumer/ledger/ledger.h"
#include "consumer/queen/announcer.h"
#include "consumer/queen/job_id.h"

namespace waggle::queen {
namespace {

constexpr int kPage = 100;  // transitions in one script, so that Redis is never held for long

/// One round; false when Redis does not answer.
bool reap(ledger::Ledger& ledger, Announcer& announcer, const Options& options, std::string_view queen) {
  auto held = ledger.hold_reaper_lock(queen, 3 * options.reap_every);
  if (!held) return false;
  while (*held) {
    auto reaped = ledger.reap(options.policy, kPage);
    if (!reaped) return false;
    for (const ledger::Reaped& job : *reaped) {
      spdlog::warn("job {}: {} by the reaper", job.job.value, name(job.event.body));
      announcer.event(job.event);
      if (std::holds_alternative<RetriedEvent>(job.event.body)) announcer.job(job.job, job.model);
    }
    if (reaped->size() < kPage) return true;
  }
  return true;
}

void run(std::stop_token stop, const Options options, bus::Context& context, const std::string& proxy) {
  ledger::Ledger ledger(options.redis);
  Announcer announcer(context, proxy);
  const std::string queen = new_job_id().value;  // any unique name does
  std::mutex mutex;
  std::condition_variable_any wake;
  bool answering = true;
  while (!stop.stop_requested()) {
    const bool answers = reap(ledger, announcer, options, queen);
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
