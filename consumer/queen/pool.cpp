// What the pool can do, and what it cannot.
#include "consumer/queen/pool.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace waggle::queen {
namespace {

constexpr std::size_t kNamesInMessage = 20;

std::string list(const std::set<std::string>& names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (count++ == kNamesInMessage) return text + ", ...";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

/// An error when some worker says what it takes and none takes this name.
Status check_name(const std::optional<std::string>& name, std::string_view field,
                  std::vector<std::string> WorkerInfo::*names, const std::vector<const WorkerInfo*>& able) {
  if (!name) return Done{};
  std::set<std::string> known;
  for (const WorkerInfo* worker : able) {
    if ((worker->*names).empty()) return Done{};
    known.insert((worker->*names).begin(), (worker->*names).end());
  }
  if (known.empty() || known.contains(*name)) return Done{};
  Error error{ErrorCode::unknown_sampler, "unknown " + std::string(field) + "; known: " + list(known)};
  error.fields.push_back({std::string(1, '/').append(field), "must be one of " + list(known)});
  return error;
}

}  // namespace

Result<const std::vector<WorkerInfo>*> Pool::workers(std::chrono::milliseconds age) {
  if (read_at_ == Clock::time_point{} || Clock::now() - read_at_ > age) {
    auto found = ledger_.workers();
    if (!found) return std::move(found).error();
    workers_ = std::move(found).value();
    read_at_ = Clock::now();
  }
  return &workers_;
}

bool serves(const WorkerInfo& worker, std::string_view model) {
  return std::any_of(worker.models.begin(), worker.models.end(), [model](const ModelInfo& info) {
    return info.name == model ||
           std::find(info.aliases.begin(), info.aliases.end(), model) != info.aliases.end();
  });
}

std::vector<PoolModel> models_of(const std::vector<WorkerInfo>& workers) {
  std::map<std::string, PoolModel> by_name;
  for (const WorkerInfo& worker : workers) {
    for (const ModelInfo& model : worker.models) {
      auto [place, is_new] = by_name.try_emplace(model.name, PoolModel{model, {}});
      ModelInfo& merged = place->second.model;
      merged.loaded = merged.loaded || model.loaded;
      merged.bytes = std::max(merged.bytes, model.bytes);
      for (const std::string& alias : model.aliases) {
        if (std::find(merged.aliases.begin(), merged.aliases.end(), alias) == merged.aliases.end()) {
          merged.aliases.push_back(alias);
        }
      }
      place->second.workers.push_back(worker.id);
    }
  }
  std::vector<PoolModel> models;
  for (auto& [name, model] : by_name) models.push_back(std::move(model));
  return models;
}

AdapterLists adapters_of(const std::vector<WorkerInfo>& workers) {
  AdapterLists all;
  for (const auto kind :
       {&AdapterLists::loras, &AdapterLists::embeddings, &AdapterLists::vaes, &AdapterLists::controlnets}) {
    std::set<std::string> names;
    for (const WorkerInfo& worker : workers)
      names.insert((worker.adapters.*kind).begin(), (worker.adapters.*kind).end());
    (all.*kind).assign(names.begin(), names.end());
  }
  return all;
}

Status check_pool(const JobRequest& request, const std::vector<WorkerInfo>& workers,
                  bool allow_unknown_models) {
  if (workers.empty()) return Done{};
  std::vector<const WorkerInfo*> candidates;
  for (const WorkerInfo& worker : workers) {
    if (!request.worker_id || worker.id == *request.worker_id) candidates.push_back(&worker);
  }
  if (candidates.empty()) {
    return Error{ErrorCode::unknown_worker,
                 "the worker that the job names is not in the pool",
                 {{"/worker_id", "no such worker"}}};
  }
  std::vector<const WorkerInfo*> able;
  std::set<std::string> known;
  for (const WorkerInfo* worker : candidates) {
    if (serves(*worker, request.model)) able.push_back(worker);
    for (const ModelInfo& model : worker->models) known.insert(model.name);
  }
  if (able.empty()) {
    if (allow_unknown_models) return Done{};
    return Error{ErrorCode::unknown_model,
                 "no worker serves this model; known: " + list(known),
                 {{"/model", "must be one of " + list(known)}}};
  }
  if (auto sampler = check_name(request.sampler, "sampler", &WorkerInfo::samplers, able); !sampler)
    return sampler;
  return check_name(request.schedule, "schedule", &WorkerInfo::schedules, able);
}

}  // namespace waggle::queen
