// What clients ask for through the queen, and what readers read.
#include <algorithm>
#include <array>
#include <span>

#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"
#include "schemas/codec/msgpack.h"
#include "schemas/pictures.h"
#include "schemas/validate.h"

namespace waggle::ledger {
namespace {

/// The tenant's length keeps ("a", "b:c") and ("a:b", "c") apart.
std::string idempotency_of(const JobRequest& request) {
  if (!request.idempotency_key) return {};
  const std::string tenant = request.tenant.value_or("");
  return "idempotency:" + std::to_string(tenant.size()) + ":" + tenant + ":" + *request.idempotency_key;
}

struct BlobField {
  std::string path;
  BlobId id;
};

std::vector<BlobField> blobs_of(const JobRequest& request) {
  std::vector<BlobField> blobs;
  for (auto& [path, picture] : pictures_of(request))
    if (picture->is_reference()) blobs.push_back({path, std::get<BlobId>(picture->source)});
  return blobs;
}

/// The fields that few jobs have: a name and a value each.
std::vector<std::string> rare_fields(const Ledger::Submission& job) {
  const JobRequest& request = job.request;
  std::vector<std::string> rare;
  const auto add = [&](std::string_view name, std::string value) {
    if (value.empty()) return;
    rare.emplace_back(name);
    rare.push_back(std::move(value));
  };
  if (request.priority != 0) add("priority", std::to_string(request.priority));
  add("tenant", request.tenant.value_or(""));
  if (request.idempotency_key) {
    add("idempotency", idempotency_of(request));
    add("digest", job.digest);
  }
  add("pinned", request.worker_id.value_or(WorkerId()).value);
  if (request.deadline_s)
    add("deadline_after", std::to_string(static_cast<std::int64_t>(*request.deadline_s * 1000.0)));
  std::string blobs;
  for (const BlobField& blob : blobs_of(request)) blobs += (blobs.empty() ? "" : " ") + blob.id.value;
  add("blobs", std::move(blobs));
  return rare;
}

/// What the script is told of each job.
void add_arguments(std::vector<std::string>& words, const Ledger::Submission& job) {
  const JobRequest& request = job.request;
  std::string bytes = codec::to_msgpack(request);
  std::string given = std::to_string(request.max_attempts) + " " + std::to_string(bytes.size()) + " " +
                      std::to_string(request.steps.value_or(0) * request.n) + " " +
                      (request.seed ? std::to_string(*request.seed) : "-");
  std::vector<std::string> rare = rare_fields(job);
  for (std::string& word :
       std::array<std::string, 6>{job.id.value, std::move(bytes), job.batch_key, request.model,
                                  std::move(given), std::to_string(rare.size() / 2)}) {
    words.push_back(std::move(word));
  }
  std::ranges::move(rare, std::back_inserter(words));
}

/// One call of the script: some jobs, so that no call holds up the others for long.
using Jobs = std::span<const Ledger::Submission>;
constexpr std::size_t kJobsPerCall = 50;

std::vector<std::string> submit_arguments(Jobs jobs, const Policy& policy) {
  std::vector<std::string> words = {std::to_string(policy.max_queued),
                                    std::to_string(policy.max_queued_bytes)};
  for (const Ledger::Submission& job : jobs) add_arguments(words, job);
  return words;
}

Result<Ledger::SubmitOutcome> read_submitted(const Value& answer, const Ledger::Submission& job,
                                             const Policy& policy) {
  const std::string& word = answer.at(0).text;
  if (word == "accepted") {
    Ledger::SubmitOutcome outcome;
    outcome.accepted = {JobId(answer.at(1).text), answer.at(2).number(), answer.at(3).number() != 0};
    if (outcome.accepted.duplicate || answer.at(4).text.empty()) return outcome;
    outcome.queued = logged_event(job.id, answer.at(4).text, 0, QueuedEvent{outcome.accepted.position});
    outcome.granted = answer.at(5).number() != 0;
    return outcome;
  }
  if (word == "conflict") {
    return Error{ErrorCode::idempotency_conflict, "the idempotency key was used with another request"};
  }
  if (word == "no_blob") {
    const std::vector<BlobField> blobs = blobs_of(job.request);
    const auto index = static_cast<std::size_t>(answer.at(1).number());
    return Error{
        ErrorCode::invalid_request,
        "a picture is not in the store",
        {{index < blobs.size() ? blobs[index].path : "", "no such picture is stored; send its bytes"}}};
  }
  if (word == "queue_full") return queue_full(answer.at(1).text, policy);
  return Error{ErrorCode::internal, "a submission without its answer"};
}

}  // namespace

Error queue_full(std::string_view limit, const Policy& policy) {
  Error full{ErrorCode::queue_full, "the queue is full: "};
  full.message += limit == "bytes" ? std::to_string(policy.max_queued_bytes) +
                                         " bytes of jobs and pictures (max-queued-bytes)"
                                   : std::to_string(policy.max_queued) + " jobs wait (max-queued)";
  full.retry_after_s = std::chrono::duration<double>(policy.retry_after).count();
  return full;
}

Result<Ledger::SubmitOutcome> Ledger::submit(const JobId& id, const JobRequest& request,
                                             std::string_view batch_key, std::string_view request_digest,
                                             const Policy& policy) {
  const Submission job{id, request, std::string(batch_key), std::string(request_digest)};
  const auto arguments = submit_arguments(Jobs(&job, 1), policy);
  auto answer = impl_->redis.run(scripts::submit, {arguments.begin(), arguments.end()});
  if (!answer) return std::move(answer).error();
  return read_submitted(answer->at(0), job, policy);
}

std::vector<Result<Ledger::SubmitOutcome>> Ledger::submit_many(const std::vector<Submission>& jobs,
                                                               const Policy& policy) {
  std::vector<std::vector<std::string>> calls;
  for (Jobs left = jobs; !left.empty(); left = left.subspan(std::min(left.size(), kJobsPerCall)))
    calls.push_back(submit_arguments(left.first(std::min(left.size(), kJobsPerCall)), policy));
  const auto answers = impl_->redis.run_each(scripts::submit, calls);
  std::vector<Result<SubmitOutcome>> outcomes;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Result<Value>& answer = answers[i / kJobsPerCall];
    if (answer) {
      outcomes.push_back(read_submitted(answer->at(i % kJobsPerCall), jobs[i], policy));
    } else {
      outcomes.emplace_back(answer.error());
    }
  }
  return outcomes;
}

Result<Ledger::CancelOutcome> Ledger::cancel(const JobId& id, const Policy& policy) {
  const PolicyText text(policy);
  auto answer = impl_->redis.run(scripts::cancel, {id.value, text.job_ttl, text.image_ttl});
  if (!answer) return std::move(answer).error();
  const std::string& word = answer->at(0).text;
  if (auto error = missing_job(word)) return *error;
  CancelOutcome outcome{{id, JobState::cancelled}, {}, {}};
  if (word == "ended") {
    auto event = read_event(id, answer->at(1));
    if (!event) return std::move(event).error();
    outcome.event = std::move(event).value();
    return outcome;
  }
  if (word == "running") {
    outcome.accepted.state = JobState::running;
    outcome.worker = WorkerId(answer->at(1).text);
    return outcome;
  }
  return Error{ErrorCode::job_already_ended, "the job is " + answer->at(1).text + " already"};
}

Result<Event> Ledger::requeue(const JobId& id, const Policy& policy) {
  const PolicyText text(policy);
  auto answer = impl_->redis.run(scripts::requeue, {id.value});
  if (!answer) return std::move(answer).error();
  const std::string& word = answer->at(0).text;
  if (auto error = missing_job(word)) return *error;
  if (word == "queued") return read_event(id, answer->at(1));
  return Error{ErrorCode::invalid_request,
               "only a dead, failed or cancelled job can be requeued; this one is " + answer->at(1).text};
}

Result<JobStatus> Ledger::status(const JobId& id) {
  auto answer = impl_->redis.run(scripts::status, {id.value});
  if (!answer) return std::move(answer).error();
  if (auto error = missing_job(answer->at(0).text)) return *error;
  return read_status(*answer);
}

Result<JobRequest> Ledger::request(const JobId& id) {
  auto answer = impl_->redis.command({"HGET", impl_->redis.options().prefix + "job:" + id.value, "request"});
  if (!answer) return std::move(answer).error();
  if (!answer->is_nil) return codec::from_msgpack<JobRequest>(answer->text);
  auto missing = status(id);
  if (!missing) return std::move(missing).error();
  return Error{ErrorCode::unknown_job, "no such job"};
}

Result<ListReply> Ledger::list(const ListRequest& query) {
  if (query.limit < 1 || query.limit > kMaxListed) {
    return invalid_request({{"/limit", "must be between 1 and " + std::to_string(kMaxListed) + ", is " +
                                           std::to_string(query.limit)}});
  }
  auto answer = impl_->redis.run(scripts::list, {query.state ? name(*query.state) : std::string_view(),
                                                 query.cursor, std::to_string(query.limit)});
  if (!answer) return std::move(answer).error();
  ListReply reply;
  reply.next_cursor = answer->at(0).text;
  for (const Value& row : answer->at(1).items) {
    auto status = read_status(row);
    if (!status) return std::move(status).error();
    reply.jobs.push_back(std::move(status).value());
  }
  return reply;
}

Result<EventPage> Ledger::events(const JobId& id, const EventId& after, int limit) {
  if (!after.empty() && !is_valid_event_id(after.value)) {
    return Error{ErrorCode::invalid_request, "not an event id"};
  }
  auto answer =
      impl_->redis.run(scripts::events, {id.value, after.value, std::to_string(limit < 1 ? 1 : limit)});
  if (!answer) return std::move(answer).error();
  if (auto error = missing_job(answer->at(0).text)) return *error;
  EventPage page;
  page.truncated = answer->at(0).number() != 0;
  for (const Value& entry : answer->at(1).items) {
    auto event = read_event(id, entry);
    if (!event) return std::move(event).error();
    page.events.push_back(std::move(event).value());
  }
  return page;
}

}  // namespace waggle::ledger
