// The command table and its functions.
#include "consumer/queen/commands.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "consumer/queen/admission.h"
#include "schemas/limits.h"
#include "schemas/validate.h"

namespace waggle::queen {
namespace {

using namespace std::chrono_literals;

/// The value through `make`, or the error as `rejected`.
template <class T, class Make>
ReplyBody reply(Result<T> result, Make make) {
  if (!result) return Rejected{std::move(result).error()};
  return make(std::move(result).value());
}
template <class T>
ReplyBody reply(Result<T> result) {
  return reply(std::move(result), [](T value) -> ReplyBody { return value; });
}

// {type: "submit", job: {operation: "image_generation", model, prompt, ...}} -> accepted {job_id, position,
// duplicate}
ReplyBody submit(Desk& desk, const SubmitRequest& request) { return reply(admit(desk, request.job)); }

// {type: "submit_many", jobs: [{...}, ...]} -> accepted_many {results: [accepted or rejected, ...]}, in order
ReplyBody submit_many(Desk& desk, const SubmitManyRequest& request) {
  if (request.jobs.size() > limits::kMaxSubmitMany) {
    return Rejected{invalid_request({{"/jobs", "must have at most " + std::to_string(limits::kMaxSubmitMany) +
                                                   " entries, has " + std::to_string(request.jobs.size())}})};
  }
  AcceptedMany many;
  for (auto& accepted : admit_many(desk, request.jobs)) {
    if (accepted) {
      many.results.emplace_back(std::move(accepted).value());
    } else {
      many.results.emplace_back(Rejected{std::move(accepted).error()});
    }
  }
  return many;
}

// {type: "cancel", job_id} -> cancelled {job_id, state: "cancelled" or "running"}
ReplyBody cancel(Desk& desk, const CancelRequest& request) {
  return reply(desk.ledger.cancel(request.job, desk.options.policy), [&](auto outcome) -> ReplyBody {
    if (outcome.event) desk.announcer.event(*outcome.event);
    if (outcome.worker) desk.announcer.control(*outcome.worker, ControlCancel{request.job});
    return std::move(outcome.accepted);
  });
}

// {type: "status", job_id} -> status {...}
ReplyBody status(Desk& desk, const StatusRequest& request) {
  return reply(desk.ledger.status(request.job),
               [](JobStatus found) -> ReplyBody { return StatusReply{std::move(found)}; });
}

// {type: "list", state?, limit, cursor} -> list {jobs, next_cursor}
ReplyBody list(Desk& desk, const ListRequest& request) { return reply(desk.ledger.list(request)); }

// {type: "workers"} -> workers {workers}
ReplyBody workers(Desk& desk, const WorkersRequest&) {
  return reply(desk.pool.workers(0ms), [](auto* found) -> ReplyBody { return WorkersReply{*found}; });
}

// {type: "models"} -> models {models: [{model, workers, paused}], adapters}
ReplyBody models(Desk& desk, const ModelsRequest&) {
  auto paused = desk.ledger.paused();
  if (!paused) return Rejected{std::move(paused).error()};
  return reply(desk.pool.workers(0ms), [&](auto* found) -> ReplyBody {
    ModelsReply all{models_of(*found), adapters_of(*found)};
    for (PoolModel& known : all.models) {
      known.paused = std::find(paused->begin(), paused->end(), known.model.name) != paused->end();
    }
    return all;
  });
}

// {type: "requeue", job_id} -> requeued {job_id}
ReplyBody requeue(Desk& desk, const RequeueRequest& request) {
  return reply(desk.ledger.requeue(request.job, desk.options.policy), [&](Event event) -> ReplyBody {
    desk.announcer.event(event);
    if (const auto job = desk.ledger.request(request.job)) desk.announcer.job(request.job, *job);
    return Requeued{request.job};
  });
}

// {type: "drain", worker_id} -> draining {worker_id}
ReplyBody drain(Desk& desk, const DrainRequest& request) {
  return reply(desk.pool.workers(0ms), [&](auto* found) -> ReplyBody {
    const auto named = [&](const WorkerInfo& worker) { return worker.id == request.worker; };
    if (std::none_of(found->begin(), found->end(), named)) {
      return Rejected{Error{ErrorCode::unknown_worker, "no such worker in the pool"}};
    }
    desk.announcer.control(request.worker, ControlDrain{});
    return Draining{request.worker};
  });
}

// {type: "stats"} -> stats {queued, running, ..., workers, malformed_messages, uptime_s}
ReplyBody stats(Desk& desk, const StatsRequest&) {
  return reply(desk.ledger.stats(), [&](StatsReply counted) -> ReplyBody {
    counted.malformed_messages = static_cast<std::int64_t>(desk.malformed + desk.bad_frames);
    counted.malformed_events = static_cast<std::int64_t>(desk.malformed_events);
    counted.malformed_subscriptions = static_cast<std::int64_t>(desk.malformed_subscriptions);
    counted.rate_limited = static_cast<std::int64_t>(desk.rate_limited);
    counted.queen = desk.options.name;
    counted.uptime_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - desk.started_at).count();
    return counted;
  });
}

/// What is wrong with a model's name, by the rules for that of a job.
std::vector<FieldError> check_model_name(const std::string& model) {
  JobRequest probe;
  probe.model = model;
  probe.prompt = std::string(1, '-');
  std::vector<FieldError> wrong = validate(probe);
  std::erase_if(wrong, [](const FieldError& field) { return field.path != "/model"; });
  return wrong;
}

/// Every name under which the pool knows the model; the given one when it knows none.
std::vector<std::string> names_of(const std::string& model, const std::vector<WorkerInfo>& workers) {
  std::vector<std::string> names{model};
  for (const PoolModel& known : models_of(workers)) {
    std::vector<std::string> all = known.model.aliases;
    all.push_back(known.model.name);
    if (std::find(all.begin(), all.end(), model) == all.end()) continue;
    names.insert(names.end(), all.begin(), all.end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// {type: "pause", model} -> paused {models}
ReplyBody pause(Desk& desk, const PauseRequest& request) {
  if (auto wrong = check_model_name(request.model); !wrong.empty())
    return Rejected{invalid_request(std::move(wrong))};
  return reply(desk.pool.workers(0ms), [&](auto* found) -> ReplyBody {
    std::vector<std::string> names = names_of(request.model, *found);
    if (auto done = desk.ledger.pause(names); !done) return Rejected{std::move(done).error()};
    return Paused{std::move(names)};
  });
}

// {type: "resume", model} -> resumed {models}
ReplyBody resume(Desk& desk, const ResumeRequest& request) {
  if (auto wrong = check_model_name(request.model); !wrong.empty())
    return Rejected{invalid_request(std::move(wrong))};
  return reply(desk.pool.workers(0ms), [&](auto* found) -> ReplyBody {
    std::vector<std::string> names = names_of(request.model, *found);
    if (auto done = desk.ledger.resume(names); !done) return Rejected{std::move(done).error()};
    return Resumed{std::move(names)};
  });
}

/// Passes a message on to a worker that serves the model.
ReplyBody tell(Desk& desk, const WorkerId& worker, const std::string& model, const Control& control) {
  return reply(desk.pool.workers(0ms), [&](auto* found) -> ReplyBody {
    const auto named = [&](const WorkerInfo& info) { return info.id == worker; };
    const auto at = std::find_if(found->begin(), found->end(), named);
    if (at == found->end()) return Rejected{Error{ErrorCode::unknown_worker, "no such worker in the pool"}};
    if (!serves(*at, model))
      return Rejected{Error{ErrorCode::unknown_model, "the worker does not serve this model"}};
    desk.announcer.control(worker, control);
    return Told{worker};
  });
}

// {type: "load_model", worker_id, model} -> told {worker_id}
ReplyBody load_model(Desk& desk, const LoadModelRequest& request) {
  return tell(desk, request.worker, request.model, ControlLoadModel{request.model});
}

// {type: "unload_model", worker_id, model} -> told {worker_id}
ReplyBody unload_model(Desk& desk, const UnloadModelRequest& request) {
  return tell(desk, request.worker, request.model, ControlUnloadModel{request.model});
}

template <class Body, ReplyBody (*function)(Desk&, const Body&)>
constexpr Command row(std::string_view name) {
  return {name, [](Desk& desk, const RequestBody& body) { return function(desk, std::get<Body>(body)); }};
}

constexpr std::array<Command, std::variant_size_v<RequestBody>> kCommands = {{
    row<SubmitRequest, submit>("submit"),
    row<SubmitManyRequest, submit_many>("submit_many"),
    row<CancelRequest, cancel>("cancel"),
    row<StatusRequest, status>("status"),
    row<ListRequest, list>("list"),
    row<WorkersRequest, workers>("workers"),
    row<ModelsRequest, models>("models"),
    row<RequeueRequest, requeue>("requeue"),
    row<DrainRequest, drain>("drain"),
    row<StatsRequest, stats>("stats"),
    row<PauseRequest, pause>("pause"),
    row<ResumeRequest, resume>("resume"),
    row<LoadModelRequest, load_model>("load_model"),
    row<UnloadModelRequest, unload_model>("unload_model"),
}};

}  // namespace

std::span<const Command> commands() { return kCommands; }

ReplyBody answer(Desk& desk, const RequestBody& body) {
  return kCommands.at(body.index()).answer(desk, body);
}

}  // namespace waggle::queen
