// What a job brings: its images and its streams of events.
#include <algorithm>
#include <array>
#include <charconv>

#include <sodium.h>

#include "consumer/bridge/event_stream.h"
#include "consumer/bridge/problem.h"
#include "consumer/bridge/routes.h"
#include "schemas/validate.h"

namespace waggle::bridge {
namespace {

Error unknown_job() { return {ErrorCode::unknown_job, "no such job"}; }

/// By the first bytes, which were written by our own encoders: saves asking for the job's record.
std::string_view media_type(std::string_view image) {
  if (image.starts_with("\x89PNG")) return "image/png";
  if (image.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (image.starts_with("RIFF")) return "image/webp";
  return "application/octet-stream";
}

/// A strong tag: equal for equal bytes, whichever bridge answers.
std::string etag_of(std::string_view bytes) {
  std::array<unsigned char, 16> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  std::array<char, 2 * hash.size() + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  return '"' + std::string(hex.data()) + '"';
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    parts.emplace_back(part);
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return parts;
}

/// Header or query parameter (for readers that cannot set headers); empty when neither is there.
std::string last_event_id(const HttpRequest& http) {
  return std::string(http.header("last-event-id").value_or(http.parameter("last_event_id").value_or("")));
}

/// Proves that every job exists and that no position lies ahead of the clock (such a reader would wait for
/// ever).
Status check_stream(ledger::Ledger& ledger, const StreamPlan& plan) {
  for (const Followed& followed : plan.jobs) {
    if (const auto status = ledger.status(followed.job); !status) return status.error();
  }
  const auto is_set = [](const Followed& followed) { return !followed.after.empty(); };
  if (std::ranges::none_of(plan.jobs, is_set)) return Done{};
  const auto now = ledger.now_ms();
  if (!now) return now.error();
  const EventId horizon(std::to_string(*now + 1) + "-0");
  const auto ahead = [&](const Followed& followed) { return compare(followed.after, horizon) > 0; };
  if (std::ranges::any_of(plan.jobs, ahead)) {
    return Error{ErrorCode::invalid_request, "the last event id is not one of this stream"};
  }
  return Done{};
}

Answer open_stream(Services& services, StreamPlan plan) {
  const auto check = [plan](ledger::Ledger& ledger) { return check_stream(ledger, plan); };
  const auto good = co_await services.pool.call(check);
  if (!good) co_return problem(good.error());
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = std::move(plan);
  co_return response;
}

}  // namespace

Answer job_image(Services& services, HttpRequest http) {
  const JobId job(http.captures[0]);
  if (!is_valid_job_id(job.value)) co_return problem(unknown_job());
  const std::string& digits = http.captures[1];
  int index = -1;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (failed != std::errc{} || end != digits.data() + digits.size() || index < 0 ||
      index >= limits::kMaxImagesPerJob) {
    co_return problem(Error{ErrorCode::not_found, "no such image"});
  }
  struct Image {
    std::string bytes, etag;
  };
  const auto fetch = [job, index](ledger::Ledger& ledger) -> Result<Image> {
    auto bytes = ledger.image(job, index);
    if (!bytes) return std::move(bytes).error();
    std::string etag = etag_of(*bytes);
    return Image{std::move(*bytes), std::move(etag)};
  };
  auto image = co_await services.pool.call(fetch);
  if (!image) co_return problem(image.error());
  HttpResponse response;
  // An image never changes once it is there; behind a token it is nobody else's.
  response.headers = {{"ETag", image->etag}, {"Cache-Control", "private, max-age=86400, immutable"}};
  if (const auto known = http.header("if-none-match"); known && matches_etag(*known, image->etag)) {
    response.status = 304;
    response.content_type.clear();
    co_return response;
  }
  response.content_type = media_type(image->bytes);
  response.body = std::move(image->bytes);
  co_return response;
}

Answer stream_job(Services& services, HttpRequest http) {
  StreamPlan plan;
  plan.jobs.push_back({JobId(http.captures[0]), EventId(last_event_id(http))});
  if (!is_valid_job_id(plan.jobs[0].job.value)) co_return problem(unknown_job());
  if (EventId& after = plan.jobs[0].after; after.value == "0") {
    after = EventId();
  } else if (!after.empty() && !is_valid_event_id(after.value)) {
    co_return problem(Error{ErrorCode::invalid_request, "the last event id is not one of this stream"});
  }
  co_return co_await open_stream(services, std::move(plan));
}

/// ?jobs=a,b: see to_text(positions) for the ids of its events.
Answer stream_jobs(Services& services, HttpRequest http) {
  StreamPlan plan;
  plan.many = true;
  for (std::string& id : split(http.parameter("jobs").value_or(""))) {
    if (!is_valid_job_id(id)) co_return problem(unknown_job());
    plan.jobs.push_back({JobId(std::move(id)), {}});
  }
  const std::size_t most = services.settings.max_jobs_per_stream;
  if (plan.jobs.empty() || plan.jobs.size() > most) {
    co_return problem(
        invalid_request({{"/jobs", "must name between 1 and " + std::to_string(most) + " jobs"}}));
  }
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (plan.jobs[i].job == plan.jobs[j].job)
        co_return problem(invalid_request({{"/jobs", "names a job twice"}}));
    }
  }
  if (const std::string last = last_event_id(http); !last.empty()) {
    const auto positions = parse_positions(last, plan.jobs.size());
    if (!positions) co_return problem(positions.error());
    for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
      plan.jobs[i].after = (*positions)[i].seen;
      plan.jobs[i].ended = (*positions)[i].ended;
    }
  }
  co_return co_await open_stream(services, std::move(plan));
}

}  // namespace waggle::bridge
