// What clients ask for through the queen, and what readers read.
#include "consumer/ledger/implementation.h"
#include "consumer/ledger/reading.h"
#include "schemas/codec/msgpack.h"
#include "schemas/pictures.h"
#include "schemas/validate.h"

namespace waggle::ledger {
namespace {

/// Jobs that name their worker wait in a lane of their own, which only that worker looks into.
std::string lane_of(const JobRequest& request) {
  return request.worker_id ? "@" + request.worker_id->value + ":" + request.model : request.model;
}

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

std::vector<std::string> submit_arguments(const JobId& id, const JobRequest& request,
                                          std::string_view batch_key, std::string_view request_digest,
                                          const Policy& policy) {
  std::string blob_names;
  for (const BlobField& blob : blobs_of(request))
    blob_names += (blob_names.empty() ? "" : " ") + blob.id.value;
  const std::string deadline =
      request.deadline_s ? std::to_string(static_cast<std::int64_t>(*request.deadline_s * 1000.0)) : "";
  return {id.value,
          codec::to_msgpack(request),
          std::string(request_digest),
          lane_of(request),
          std::string(batch_key),
          request.model,
          std::to_string(request.priority),
          request.tenant.value_or(""),
          idempotency_of(request),
          request.worker_id.value_or(WorkerId()).value,
          std::to_string(request.max_attempts),
          deadline,
          std::to_string(request.steps.value_or(0) * request.n),
          blob_names,
          std::to_string(policy.max_queued),
          std::to_string(policy.max_queued_bytes),
          PolicyText(policy).max_events,
          request.seed ? std::to_string(*request.seed) : ""};
}

Result<Ledger::SubmitOutcome> read_submitted(Result<Value> answer, const JobId& id, const JobRequest& request,
                                             const Policy& policy) {
  if (!answer) return std::move(answer).error();
  const std::string& word = answer->at(0).text;
  if (word == "accepted") {
    Ledger::SubmitOutcome outcome;
    outcome.accepted = {JobId(answer->at(1).text), answer->at(2).number(), answer->at(3).number() != 0};
    if (outcome.accepted.duplicate || answer->at(4).is_nil) return outcome;
    auto queued = read_event(id, answer->at(4));
    if (!queued) return std::move(queued).error();
    outcome.queued = std::move(queued).value();
    return outcome;
  }
  if (word == "conflict") {
    return Error{ErrorCode::idempotency_conflict, "the idempotency key was used with another request"};
  }
  if (word == "no_blob") {
    const std::vector<BlobField> blobs = blobs_of(request);
    const auto index = static_cast<std::size_t>(answer->at(1).number());
    return Error{
        ErrorCode::invalid_request,
        "a picture is not in the store",
        {{index < blobs.size() ? blobs[index].path : "", "no such picture is stored; send its bytes"}}};
  }
  return queue_full(answer->at(1).text, policy);
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
  const auto arguments = submit_arguments(id, request, batch_key, request_digest, policy);
  return read_submitted(impl_->redis.run(scripts::submit, {arguments.begin(), arguments.end()}), id, request,
                        policy);
}

std::vector<Result<Ledger::SubmitOutcome>> Ledger::submit_many(const std::vector<Submission>& jobs,
                                                               const Policy& policy) {
  std::vector<std::vector<std::string>> calls;
  for (const Submission& job : jobs) {
    calls.push_back(submit_arguments(job.id, job.request, job.batch_key, job.digest, policy));
  }
  auto answers = impl_->redis.run_each(scripts::submit, calls);
  std::vector<Result<SubmitOutcome>> outcomes;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    outcomes.push_back(read_submitted(std::move(answers[i]), jobs[i].id, jobs[i].request, policy));
  }
  return outcomes;
}

Result<Ledger::CancelOutcome> Ledger::cancel(const JobId& id, const Policy& policy) {
  const PolicyText text(policy);
  auto answer = impl_->redis.run(scripts::cancel, {id.value, text.job_ttl, text.image_ttl, text.max_events});
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
  auto answer = impl_->redis.run(scripts::requeue, {id.value, text.max_events});
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
