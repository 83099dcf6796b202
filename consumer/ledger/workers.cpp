// What workers do: claim, renew, report, commit, end.
#include <deque>
#include <span>
#include <utility>

#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"
#include "schemas/codec/msgpack.h"

namespace waggle::ledger {
namespace {

Error lease_lost() { return {ErrorCode::lease_lost, "the attempt no longer holds the job"}; }

/// An event as the log keeps it: its number and its time are those of the entry.
std::string for_the_log(Event event) {
  event.id = EventId();
  return codec::to_msgpack(event);
}

FinishOutcome finish_outcome(std::string_view word) {
  if (word == "ended") return FinishOutcome::ended;
  if (word == "requeued") return FinishOutcome::requeued;
  if (word == "dead") return FinishOutcome::dead;
  if (word == "cancelled") return FinishOutcome::cancelled;
  return FinishOutcome::refused;
}

// What was sent ahead of an attempt's end that no longer counts goes after this time.
constexpr std::string_view kUnkept_ms = "600000";

std::string image_key(const Connection& redis, const Lease& lease, const ImageInfo& image) {
  return redis.options().prefix + "image:" + lease.job.value + ":" + std::to_string(image.index) + ":" +
         std::to_string(lease.attempt);
}
/// The bytes go past the script, which would copy them three times. What is there already stays as it is: it
/// is of the same attempt.
Words set_image(std::string_view key, std::string_view bytes) {
  return {"SET", key, bytes, "PX", kUnkept_ms, "NX"};
}
Error no_room() { return {ErrorCode::queue_full, "Redis has no memory left"}; }

/// The script's word for how the attempt ended, and what goes with it: a seed, or an error's bytes.
struct Outcome {
  std::string_view word;
  std::string about{};
};

Result<Outcome> outcome_of(const EventBody& body) {
  Outcome outcome{"cancelled"};
  if (const auto* completed = std::get_if<CompletedEvent>(&body)) {
    outcome.word = "completed";
    outcome.about = std::to_string(completed->seed);
  } else if (const auto* failed = std::get_if<FailedEvent>(&body)) {
    outcome.word = failed->error.retryable() ? "failed" : "hopeless";
    outcome.about = codec::to_msgpack(failed->error);
  } else if (!std::holds_alternative<CancelledEvent>(body)) {
    return Error{ErrorCode::internal, "an attempt ends completed, failed or cancelled"};
  }
  return outcome;
}

/// Words of a command that stay where they are.
class Arguments {
 public:
  void add(std::string word) { words_.push_back(std::move(word)); }
  [[nodiscard]] Words views() const { return {words_.begin(), words_.end()}; }

 private:
  std::deque<std::string> words_;
};

Result<FinishOutcome> read_ended(const Value& answer, Ending& ending) {
  const std::string& word = answer.at(0).text;
  if (word == "no_image") return no_room();
  const FinishOutcome outcome = finish_outcome(word);
  if (outcome == FinishOutcome::refused) return outcome;
  if (answer.items.size() < 3) {
    ending.event =
        logged_event(ending.lease.job, answer.at(1).text, ending.lease.attempt, std::move(ending.event.body));
    return outcome;
  }
  auto logged = read_event(ending.lease.job, answer.at(1).text, answer.at(2));
  if (!logged) return std::move(logged).error();
  ending.event = std::move(logged).value();
  return outcome;
}

std::vector<Result<FinishOutcome>> end_attempts(Connection& redis, std::span<Ending> endings,
                                                std::span<const Outcome> outcomes, const Policy& policy) {
  const PolicyText text(policy);
  Arguments arguments;
  std::deque<std::string> keys;
  Sending sending;
  for (const std::string& word : {endings.front().lease.worker.value, text.job_ttl, text.image_ttl,
                                  text.backoff_first, text.backoff_max}) {
    arguments.add(word);
  }
  for (std::size_t i = 0; i < endings.size(); ++i) {
    auto& [lease, event, images] = endings[i];
    event.job = lease.job;
    event.attempt = lease.attempt;
    arguments.add(lease.job.value);
    arguments.add(std::to_string(lease.attempt));
    arguments.add(std::string(outcomes[i].word));
    arguments.add(for_the_log(event));
    arguments.add(outcomes[i].about);
    arguments.add(std::to_string(images.size()));
    for (const NewImage& image : images) {
      arguments.add(std::to_string(image.info.index));
      arguments.add(describe_image(image.info));
      keys.push_back(image_key(redis, lease, image.info));
      sending.ahead.push_back(set_image(keys.back(), image.bytes));
    }
  }
  auto answer = redis.run(scripts::finish, arguments.views(), sending);
  std::vector<Result<FinishOutcome>> results;
  for (std::size_t i = 0; i < endings.size(); ++i) {
    results.push_back(answer ? read_ended(answer->at(i), endings[i]) : Result<FinishOutcome>(answer.error()));
  }
  return results;
}

}  // namespace

Result<std::vector<ClaimedJob>> Ledger::claim(const ClaimQuery& query, const Policy& policy) {
  const PolicyText text(policy);
  const std::string room = std::to_string(query.room), wait = std::to_string(query.wait.count());
  if (auto ready = impl_->redis.ready(); !ready) return std::move(ready).error();
  // A worker that Redis does not show by name must not be missed among those that it shows.
  const std::string token = query.token.empty() || impl_->redis.named() ? query.token : query.token + "?";
  const auto ask = [&](bool repeated) {
    std::vector<std::string_view> arguments = {query.worker.value,
                                               room,
                                               query.batch_key,
                                               query.same_batch ? "1" : "0",
                                               text.lease,
                                               text.image_ttl,
                                               token,
                                               repeated ? "1" : "0",
                                               wait};
    arguments.insert(arguments.end(), query.models.begin(), query.models.end());
    return impl_->redis.run(scripts::claim, arguments, {.again = query.token.empty()});
  };
  auto answer = ask(query.repeated);
  // A connection that broke may have swallowed an answer; the token asks for it.
  const bool broke = !answer && answer.error().code == ErrorCode::unavailable && !impl_->redis.timed_out();
  if (broke && !query.token.empty()) answer = ask(true);
  if (!answer) return std::move(answer).error();

  std::vector<ClaimedJob> jobs;
  for (const Value& row : answer->items) {
    auto job = read_claimed(row, query.worker);
    if (job) {
      jobs.push_back(std::move(job).value());
      continue;
    }
    // Nobody could ever read this record: it ends here, so that it does not go round until its attempts are
    // used up.
    const Lease lease{JobId(row.at(0).text), static_cast<int>(row.at(1).number()), query.worker};
    Event failed;
    failed.body = FailedEvent{Error{ErrorCode::invalid_request, "the stored request is unreadable"}};
    if (auto ended = finish(lease, failed, policy); !ended) return std::move(ended).error();
  }
  return jobs;
}

Result<RenewOutcome> Ledger::renew(const std::vector<Lease>& leases, const Policy& policy) {
  RenewOutcome outcome;
  if (leases.empty()) return outcome;
  const PolicyText text(policy);
  std::vector<std::string> attempts;
  for (const Lease& lease : leases) attempts.push_back(std::to_string(lease.attempt));
  std::vector<std::string_view> arguments = {leases.front().worker.value, text.lease};
  for (std::size_t i = 0; i < leases.size(); ++i) {
    arguments.push_back(leases[i].job.value);
    arguments.push_back(attempts[i]);
  }
  auto answer = impl_->redis.run(scripts::renew, arguments);
  if (!answer) return std::move(answer).error();
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (answer->at(i).text == "lost") outcome.lost.push_back(leases[i].job);
    if (answer->at(i).text == "cancel") outcome.cancel_requested.push_back(leases[i].job);
  }
  return outcome;
}

std::vector<Result<EventId>> Ledger::append_many(std::vector<Appending>& events, const Policy& policy) {
  if (events.empty()) return {};
  const PolicyText text(policy);
  Arguments arguments;
  arguments.add(events.front().lease.worker.value);
  arguments.add(text.max_events);
  for (auto& [lease, event] : events) {
    event.job = lease.job;
    event.attempt = lease.attempt;
    const auto* progress = std::get_if<ProgressEvent>(&event.body);
    arguments.add(lease.job.value);
    arguments.add(std::to_string(lease.attempt));
    arguments.add(for_the_log(event));
    arguments.add(progress != nullptr ? std::to_string(progress->step) + " " + std::to_string(progress->total)
                                      : "");
  }
  auto answer = impl_->redis.run(scripts::append, arguments.views());
  std::vector<Result<EventId>> results;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!answer) {
      results.emplace_back(answer.error());
      continue;
    }
    const std::string& entry = answer->at(i).text;
    if (entry.empty()) {
      results.emplace_back(lease_lost());
      continue;
    }
    events[i].event.id = EventId(entry);
    events[i].event.at_ms = event_time_ms(entry);
    results.emplace_back(events[i].event.id);
  }
  return results;
}

Result<EventId> Ledger::append(const Lease& lease, Event& event, const Policy& policy) {
  std::vector<Appending> events = {{lease, std::move(event)}};
  auto results = append_many(events, policy);
  event = std::move(events.front().event);
  return std::move(results.front());
}

Status Ledger::commit_image(const Lease& lease, const ImageInfo& info, std::string_view bytes,
                            const Policy& policy) {
  const PolicyText text(policy);
  const std::string key = image_key(impl_->redis, lease, info);
  auto answer = impl_->redis.run(scripts::commit_image,
                                 {lease.job.value, std::to_string(lease.attempt), lease.worker.value,
                                  text.image_ttl, std::to_string(info.index), describe_image(info)},
                                 {.ahead = {set_image(key, bytes)}});
  if (!answer) return std::move(answer).error();
  if (answer->number() < 0) return no_room();
  if (answer->number() == 0) return lease_lost();
  return Done{};
}

std::vector<Result<FinishOutcome>> Ledger::finish_many(std::vector<Ending>& endings, const Policy& policy) {
  if (endings.empty()) return {};
  std::vector<Outcome> outcomes;
  for (const Ending& ending : endings) {
    auto outcome = outcome_of(ending.event.body);
    if (!outcome) return std::vector<Result<FinishOutcome>>(endings.size(), std::move(outcome).error());
    outcomes.push_back(std::move(outcome).value());
  }
  return end_attempts(impl_->redis, endings, outcomes, policy);
}

Result<FinishOutcome> Ledger::finish(const Lease& lease, Event& event, const Policy& policy,
                                     const std::vector<NewImage>& images) {
  std::vector<Ending> endings = {{lease, std::move(event), images}};
  auto results = finish_many(endings, policy);
  event = std::move(endings.front().event);
  return std::move(results.front());
}

Result<FinishOutcome> Ledger::release(const Lease& lease, Event& event, const Policy& policy) {
  const auto* retried = std::get_if<RetriedEvent>(&event.body);
  const Error unsaid{ErrorCode::unavailable, "the worker handed the job back"};
  const Outcome outcome{"released", codec::to_msgpack(retried != nullptr ? retried->error : unsaid)};
  std::vector<Ending> endings = {{lease, std::move(event)}};
  auto results = end_attempts(impl_->redis, endings, {&outcome, 1}, policy);
  event = std::move(endings.front().event);
  return std::move(results.front());
}

}  // namespace waggle::ledger
