// Five questions to the queen, and sums.
#include "consumer/cli/observe/pool_view.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

constexpr int kPage = 1000;     ///< jobs of one answer
constexpr int kMostPages = 10;  ///< of queued jobs; beyond it depths are lower bounds
constexpr int kRecent = 100;    ///< jobs among which the recent ends are sought
constexpr auto kRateWindow = std::chrono::seconds(60);

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

template <class Body>
Result<Body> ask(Hive& hive, RequestBody request) {
  auto reply = hive.ask(std::move(request));
  if (!reply) return reply.error();
  if (auto* body = std::get_if<Body>(&reply->body)) return std::move(*body);
  return Error{ErrorCode::unknown_type, "the queen answered with something else"};
}

/// Jobs in this state; `complete` becomes false when there are more.
Result<std::vector<JobStatus>> jobs_in(Hive& hive, JobState state, bool& complete) {
  std::vector<JobStatus> all;
  ListRequest request;
  request.state = state;
  request.limit = kPage;
  for (int page = 0; page < kMostPages; ++page) {
    auto reply = ask<ListReply>(hive, request);
    if (!reply) return reply.error();
    std::ranges::move(reply->jobs, std::back_inserter(all));
    if (reply->next_cursor.empty()) return all;
    request.cursor = reply->next_cursor;
  }
  complete = false;
  return all;
}

}  // namespace

std::vector<ModelDepth> depths_of(const std::vector<JobStatus>& queued,
                                  const std::vector<JobStatus>& running) {
  std::map<std::string, ModelDepth> by_model;
  for (const JobStatus& job : queued) {
    ModelDepth& depth = by_model[job.model];
    ++depth.queued;
    depth.oldest_at_ms = std::min(depth.oldest_at_ms.value_or(job.submitted_at_ms), job.submitted_at_ms);
  }
  for (const JobStatus& job : running) ++by_model[job.model].running;
  std::vector<ModelDepth> depths;
  for (auto& [model, depth] : by_model) {
    depth.model = model;
    depths.push_back(std::move(depth));
  }
  std::ranges::stable_sort(depths, std::greater<>(),
                           [](const ModelDepth& each) { return each.queued + each.running; });
  return depths;
}

Result<PoolView> look(Hive& hive) {
  PoolView view;
  view.at_ms = now_ms();
  auto stats = ask<StatsReply>(hive, StatsRequest{});
  if (!stats) return stats.error();
  view.stats = std::move(stats).value();
  auto workers = ask<WorkersReply>(hive, WorkersRequest{});
  if (!workers) return workers.error();
  view.workers = std::move(workers->workers);
  auto running = jobs_in(hive, JobState::running, view.all_queued);
  if (!running) return running.error();
  view.running = std::move(running).value();
  auto queued = jobs_in(hive, JobState::queued, view.all_queued);
  if (!queued) return queued.error();
  view.models = depths_of(*queued, view.running);
  ListRequest newest;
  newest.limit = kRecent;
  auto recent = ask<ListReply>(hive, newest);
  if (!recent) return recent.error();
  for (JobStatus& job : recent->jobs) {
    if (is_terminal(job.state)) view.ended.push_back(std::move(job));
  }
  std::ranges::stable_sort(view.ended, std::greater<>(),
                           [](const JobStatus& job) { return job.finished_at_ms.value_or(0); });
  return view;
}

double ends_in_last_minute(const std::vector<JobStatus>& ended, std::int64_t now) {
  return static_cast<double>(std::ranges::count_if(ended, [now](const JobStatus& job) {
    return job.finished_at_ms && now - *job.finished_at_ms <= 60'000;
  }));
}

void EndRate::add(std::int64_t ended, Clock::time_point at) {
  if (!looks_.empty() && ended < looks_.back().second) looks_.clear();
  looks_.emplace_back(at, ended);
  while (looks_.size() > 2 && at - looks_[1].first >= kRateWindow) looks_.pop_front();
}

std::optional<double> EndRate::per_min() const {
  if (looks_.size() < 2) return std::nullopt;
  const std::chrono::duration<double, std::ratio<60>> minutes = looks_.back().first - looks_.front().first;
  if (minutes.count() <= 0) return std::nullopt;
  return static_cast<double>(looks_.back().second - looks_.front().second) / minutes.count();
}

std::int64_t ended_count(const StatsReply& stats) {
  return stats.completed + stats.failed + stats.cancelled + stats.expired + stats.dead;
}

std::string view_json(const PoolView& view) {
  using Json = nlohmann::ordered_json;
  const auto parsed = [](const std::string& text) { return Json::parse(text, nullptr, false); };
  Json stats = parsed(codec::to_json(Reply{RequestId(), view.stats}));
  for (const char* envelope : {"v", "type", "request_id"}) stats.erase(envelope);
  Json models = Json::array();
  for (const ModelDepth& depth : view.models) {
    models.push_back({{"model", depth.model}, {"queued", depth.queued}, {"running", depth.running}});
    if (depth.oldest_at_ms) models.back()["oldest_at_ms"] = *depth.oldest_at_ms;
  }
  Json json{{"at_ms", view.at_ms},
            {"stats", std::move(stats)},
            {"models", std::move(models)},
            {"workers", parsed(codec::to_json(view.workers))},
            {"running", parsed(codec::to_json(view.running))},
            {"ended", parsed(codec::to_json(view.ended))}};
  if (view.ended_per_min) json["ended_per_min"] = *view.ended_per_min;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace waggle::cli
