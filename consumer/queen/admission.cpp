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

}  // namespace

Result<Accepted> admit(Desk& desk, JobRequest request, std::string_view prefix) {
  if (auto fields = validate(request, prefix); !fields.empty()) return invalid_request(std::move(fields));
  if (auto able = check(desk, request); !able) {
    Error error = std::move(able).error();
    for (FieldError& field : error.fields) field.path.insert(0, prefix);
    return error;
  }
  for (auto& [path, picture] : pictures_of(request))
    if (auto stored = store(desk, *picture); !stored) return std::move(stored).error();

  // The digest covers what the client said, not the seed drawn for it: the same request twice is the same
  // request. The seed is drawn here and not by a worker, so that every attempt makes the same picture.
  const std::string request_digest = digest(request);
  if (!request.seed) request.seed = new_seed();
  const JobId id = new_job_id();
  auto submitted = desk.ledger.submit(id, request, batch_key(request), request_digest, desk.options.policy);
  if (!submitted) return std::move(submitted).error();
  if (submitted->queued) {
    desk.announcer.event(*submitted->queued);
    desk.announcer.job(id, request);
  }
  return std::move(submitted->accepted);
}

}  // namespace waggle::queen
