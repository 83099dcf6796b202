// What workers do: claim, renew, report, commit, end.
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

Result<ClaimedJob> read_claimed(const Value& row, const WorkerId& worker) {
  auto request = codec::from_msgpack<JobRequest>(row.at(2).text);
  if (!request) return Error{ErrorCode::internal, "a stored request is unreadable"};
  ClaimedJob job;
  job.lease = {JobId(row.at(0).text), static_cast<int>(row.at(1).number()), worker};
  job.request = std::move(request).value();
  job.batch_key = row.at(3).text;
  job.run_alone = row.at(4).number() != 0;
  if (!row.at(5).text.empty()) job.deadline_ms = row.at(5).number();
  const Value& images = row.at(6);
  for (std::size_t i = 0; i + 1 < images.items.size(); i += 2) {
    job.images_done.push_back(
        read_image(static_cast<int>(images.items[i].number()), images.items[i + 1].text));
  }
  auto started = read_event(job.lease.job, row.at(7));
  if (!started) return std::move(started).error();
  job.started = std::move(started).value();
  return job;
}

FinishOutcome outcome_of(std::string_view word) {
  if (word == "ended") return FinishOutcome::ended;
  if (word == "requeued") return FinishOutcome::requeued;
  if (word == "dead") return FinishOutcome::dead;
  if (word == "cancelled") return FinishOutcome::cancelled;
  return FinishOutcome::refused;
}

/// The script's word for how the attempt ended, and the error that goes with it.
struct Ending {
  std::string_view word;
  Error error{};
  std::string seed{};
};

Result<FinishOutcome> end_attempt(Connection& redis, const Lease& lease, Event& event, const Ending& ending,
                                  const Policy& policy, const std::vector<NewImage>& images = {}) {
  const PolicyText text(policy);
  event.job = lease.job;
  event.attempt = lease.attempt;
  const std::string attempt = std::to_string(lease.attempt), logged_event = for_the_log(event),
                    error = codec::to_msgpack(ending.error);
  std::vector<std::string_view> arguments = {lease.job.value,
                                             attempt,
                                             lease.worker.value,
                                             ending.word,
                                             logged_event,
                                             error,
                                             ending.error.retryable() ? "1" : "0",
                                             ending.seed,
                                             text.job_ttl,
                                             text.image_ttl,
                                             text.max_events,
                                             text.backoff_first,
                                             text.backoff_max};
  std::vector<std::string> descriptions;
  for (const NewImage& image : images) {
    descriptions.push_back(std::to_string(image.info.index));
    descriptions.push_back(describe_image(image.info));
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    arguments.insert(arguments.end(), {descriptions[2 * i], descriptions[2 * i + 1], images[i].bytes});
  }
  auto answer = redis.run(scripts::finish, arguments);
  if (!answer) return std::move(answer).error();
  const FinishOutcome outcome = outcome_of(answer->at(0).text);
  if (outcome == FinishOutcome::refused) return outcome;
  auto logged = read_event(lease.job, answer->at(1));
  if (!logged) return std::move(logged).error();
  event = std::move(logged).value();
  return outcome;
}

}  // namespace

Result<std::vector<ClaimedJob>> Ledger::claim(const ClaimQuery& query, const Policy& policy) {
  const PolicyText text(policy);
  const std::string room = std::to_string(query.room);
  if (auto ready = impl_->redis.ready(); !ready) return std::move(ready).error();
  // A worker that Redis does not show by name must not be missed among those that it shows.
  const std::string token = query.token.empty() || impl_->redis.named() ? query.token : query.token + "?";
  const auto ask = [&](bool repeated) {
    std::vector<std::string_view> arguments = {
        query.worker.value,  room,           query.batch_key, query.same_batch ? "1" : "0",
        text.lease,          text.image_ttl, text.max_events, token,
        repeated ? "1" : "0"};
    arguments.insert(arguments.end(), query.models.begin(), query.models.end());
    return impl_->redis.run(scripts::claim, arguments, /*again=*/query.token.empty());
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

Result<EventId> Ledger::append(const Lease& lease, Event& event, const Policy& policy) {
  const PolicyText text(policy);
  event.job = lease.job;
  event.attempt = lease.attempt;
  std::string step, total;
  if (const auto* progress = std::get_if<ProgressEvent>(&event.body)) {
    step = std::to_string(progress->step);
    total = std::to_string(progress->total);
  }
  auto answer =
      impl_->redis.run(scripts::append, {lease.job.value, std::to_string(lease.attempt), lease.worker.value,
                                         for_the_log(event), text.max_events, step, total});
  if (!answer) return std::move(answer).error();
  if (answer->is_nil) return lease_lost();
  event.id = EventId(answer->text);
  event.at_ms = event_time_ms(answer->text);
  return event.id;
}

Status Ledger::commit_image(const Lease& lease, const ImageInfo& info, std::string_view bytes,
                            const Policy& policy) {
  const PolicyText text(policy);
  auto answer = impl_->redis.run(scripts::commit_image,
                                 {lease.job.value, std::to_string(lease.attempt), lease.worker.value,
                                  std::to_string(info.index), describe_image(info), bytes, text.image_ttl});
  if (!answer) return std::move(answer).error();
  if (answer->number() == 0) return lease_lost();
  return Done{};
}

Result<FinishOutcome> Ledger::finish(const Lease& lease, Event& event, const Policy& policy,
                                     const std::vector<NewImage>& images) {
  Ending ending{"cancelled"};
  if (const auto* completed = std::get_if<CompletedEvent>(&event.body)) {
    ending.word = "completed";
    ending.seed = std::to_string(completed->seed);
  } else if (const auto* failed = std::get_if<FailedEvent>(&event.body)) {
    ending.word = "failed";
    ending.error = failed->error;
  } else if (!std::holds_alternative<CancelledEvent>(event.body)) {
    return Error{ErrorCode::internal, "an attempt ends completed, failed or cancelled"};
  }
  return end_attempt(impl_->redis, lease, event, ending, policy, images);
}

Result<FinishOutcome> Ledger::release(const Lease& lease, Event& event, const Policy& policy) {
  Ending ending{"released", {ErrorCode::unavailable, "the worker handed the job back"}};
  if (const auto* retried = std::get_if<RetriedEvent>(&event.body)) ending.error = retried->error;
  return end_attempt(impl_->redis, lease, event, ending, policy);
}

}  // namespace waggle::ledger
