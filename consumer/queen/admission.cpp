// Admits one job.
#include "consumer/queen/admission.h"

#include <string>
#include <variant>

#include "consumer/queen/job_id.h"
#include "schemas/batch_key.h"
#include "schemas/pictures.h"
#include "schemas/validate.h"

namespace waggle::queen {
namespace {

using namespace std::chrono_literals;

/// Puts the picture's bytes to the blob store and leaves the reference in their place.
Status store(Desk& desk, PictureInput& picture) {
  if (picture.is_reference()) return Done{};
  auto id = desk.ledger.put_blob(std::get<0>(picture.source), desk.options.policy);
  if (!id) return std::move(id).error();
  picture.source = std::move(id).value();
  return Done{};
}

Status check(Desk& desk, const JobRequest& request) {
  const bool allow = desk.options.allow_unknown_models;
  auto workers = desk.pool.workers(1000ms);
  if (!workers) return std::move(workers).error();
  auto able = check_pool(request, **workers, allow);
  if (able) return able;
  // Perhaps a worker that can do it came this very second.
  workers = desk.pool.workers(50ms);
  if (!workers) return std::move(workers).error();
  return check_pool(request, **workers, allow);
}

/// Everything but the ledger.
Result<ledger::Ledger::Submission> prepare(Desk& desk, JobRequest request, std::string_view prefix) {
  if (auto fields = validate(request, prefix); !fields.empty()) return invalid_request(std::move(fields));
  if (auto able = check(desk, request); !able) {
    Error error = std::move(able).error();
    for (FieldError& field : error.fields) field.path.insert(0, prefix);
    return error;
  }
  for (auto& [path, picture] : pictures_of(request))
    if (auto stored = store(desk, *picture); !stored) return std::move(stored).error();

  // The digest covers what the client said, not the seed drawn for it: the same request twice is the same
  // request. Who gave no key for it asks twice for two jobs. The seed is drawn here and not by a worker, so
  // that every attempt makes the same picture.
  std::string request_digest = request.idempotency_key ? digest(request) : std::string();
  if (!request.seed) request.seed = new_seed();
  std::string key = batch_key(request);
  return ledger::Ledger::Submission{new_job_id(), std::move(request), std::move(key),
                                    std::move(request_digest)};
}

Result<Accepted> announce(Desk& desk, const ledger::Ledger::Submission& job,
                          Result<ledger::Ledger::SubmitOutcome> submitted) {
  if (!submitted) return std::move(submitted).error();
  if (submitted->queued) {
    // Workers first: readers wait for more than this.
    if (!submitted->granted) desk.announcer.job(job.id, job.request);
    desk.announcer.event(*submitted->queued);
  }
  return std::move(submitted->accepted);
}

}  // namespace

Result<Accepted> admit(Desk& desk, JobRequest request) {
  auto job = prepare(desk, std::move(request), "");
  if (!job) return std::move(job).error();
  return announce(
      desk, *job,
      desk.ledger.submit(job->id, job->request, job->batch_key, job->digest, desk.options.policy));
}

std::vector<Result<Accepted>> admit_many(Desk& desk, const std::vector<JobRequest>& requests) {
  std::vector<Result<Accepted>> results;
  std::vector<ledger::Ledger::Submission> jobs;
  std::vector<std::size_t> places;  // in `results`, of each of the jobs
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto job = prepare(desk, requests[i], "/jobs/" + std::to_string(i));
    if (job) {
      places.push_back(i);
      jobs.push_back(std::move(job).value());
      results.emplace_back(Accepted());
    } else {
      results.emplace_back(std::move(job).error());
    }
  }
  auto submitted = desk.ledger.submit_many(jobs, desk.options.policy);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    results[places[i]] = announce(desk, jobs[i], std::move(submitted[i]));
  }
  return results;
}

}  // namespace waggle::queen
