// Everything that crosses a socket besides events and heartbeats: announcements, control, requests to the
// queen and its replies. The envelope ({v, type, request_id?}) is added by the codec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schemas/error.h"
#include "schemas/event.h"
#include "schemas/ids.h"
#include "schemas/job.h"
#include "schemas/operation.h"
#include "schemas/worker_info.h"

namespace waggle {

inline constexpr int kProtocolVersion = 1;

/// `jobs/<model>/` and `jobs/@<worker_id>/`: a hint that a job waits. Losing it costs at most the idle poll.
struct JobAnnouncement {
  JobId job;
  std::string model;
  int priority = 0;
  bool operator==(const JobAnnouncement&) const = default;
};

/// `control/<worker_id>/` and `control/*/`.
struct ControlCancel {
  JobId job;
  bool operator==(const ControlCancel&) const = default;
};
struct ControlDrain {
  bool operator==(const ControlDrain&) const = default;
};
struct ControlLoadModel {
  std::string model;
  bool operator==(const ControlLoadModel&) const = default;
};
struct ControlUnloadModel {
  std::string model;
  bool operator==(const ControlUnloadModel&) const = default;
};
using Control = std::variant<ControlCancel, ControlDrain, ControlLoadModel, ControlUnloadModel>;
std::string_view name(const Control& control) noexcept;  ///< "cancel", "drain", "load_model", "unload_model"

// --- Requests to the queen (ROUTER/DEALER) ---

struct SubmitRequest {
  JobRequest job;
  bool operator==(const SubmitRequest&) const = default;
};
struct SubmitManyRequest {
  std::vector<JobRequest> jobs;
  bool operator==(const SubmitManyRequest&) const = default;
};
struct CancelRequest {
  JobId job;
  bool operator==(const CancelRequest&) const = default;
};
struct StatusRequest {
  JobId job;
  bool operator==(const StatusRequest&) const = default;
};
struct ListRequest {
  std::optional<JobState> state;
  int limit = 100;     ///< 1..1000
  std::string cursor;  ///< empty: from the newest; else `next_cursor` of the last page
  bool operator==(const ListRequest&) const = default;
};
struct WorkersRequest {
  bool operator==(const WorkersRequest&) const = default;
};
struct ModelsRequest {
  bool operator==(const ModelsRequest&) const = default;
};
struct RequeueRequest {
  JobId job;
  bool operator==(const RequeueRequest&) const = default;
};
struct DrainRequest {
  WorkerId worker;
  bool operator==(const DrainRequest&) const = default;
};
struct StatsRequest {
  bool operator==(const StatsRequest&) const = default;
};
/// Nothing of the model is claimed until it is resumed; submissions are still accepted, what runs goes on.
struct PauseRequest {
  std::string model;  ///< name or alias
  bool operator==(const PauseRequest&) const = default;
};
struct ResumeRequest {
  std::string model;
  bool operator==(const ResumeRequest&) const = default;
};
/// Passed on to the worker as a control message.
struct LoadModelRequest {
  WorkerId worker;
  std::string model;
  bool operator==(const LoadModelRequest&) const = default;
};
struct UnloadModelRequest {
  WorkerId worker;
  std::string model;
  bool operator==(const UnloadModelRequest&) const = default;
};
using RequestBody = std::variant<SubmitRequest, SubmitManyRequest, CancelRequest, StatusRequest, ListRequest,
                                 WorkersRequest, ModelsRequest, RequeueRequest, DrainRequest, StatsRequest,
                                 PauseRequest, ResumeRequest, LoadModelRequest, UnloadModelRequest>;
std::string_view name(const RequestBody& body) noexcept;  ///< "submit", "submit_many", "cancel", ...

struct Request {
  RequestId id;
  RequestBody body = StatsRequest{};
  bool operator==(const Request&) const = default;
};

// --- Replies ---

/// `accepted`. Sent only when Redis has the job.
struct Accepted {
  JobId job;
  std::int64_t position = 0;
  bool duplicate = false;  ///< the idempotency key was known: this is the first job's id
  bool operator==(const Accepted&) const = default;
};
/// `rejected`: any request that was refused.
struct Rejected {
  Error error;
  bool operator==(const Rejected&) const = default;
};
/// `accepted_many`: one answer per job, in order.
struct AcceptedMany {
  std::vector<std::variant<Accepted, Rejected>> results;
  bool operator==(const AcceptedMany&) const = default;
};
/// `cancelled`: a queued job has ended; a running one will, within a denoising step.
struct CancelAccepted {
  JobId job;
  JobState state = JobState::cancelled;  ///< cancelled, or running: the worker has been told
  bool operator==(const CancelAccepted&) const = default;
};
struct StatusReply {
  JobStatus status;
  bool operator==(const StatusReply&) const = default;
};
struct ListReply {
  std::vector<JobStatus> jobs;
  std::string next_cursor;  ///< empty: that was the last page
  bool operator==(const ListReply&) const = default;
};
struct WorkersReply {
  std::vector<WorkerInfo> workers;
  bool operator==(const WorkersReply&) const = default;
};
/// One model of the pool and who serves it.
struct PoolModel {
  ModelInfo model;
  std::vector<WorkerId> workers;
  bool paused = false;
  bool operator==(const PoolModel&) const = default;
};
struct ModelsReply {
  std::vector<PoolModel> models;
  AdapterLists adapters = {};  ///< of all workers together, in order
  bool operator==(const ModelsReply&) const = default;
};
struct Requeued {
  JobId job;
  bool operator==(const Requeued&) const = default;
};
struct Draining {
  WorkerId worker;
  bool operator==(const Draining&) const = default;
};
/// `paused` and `resumed`: every name under which the model is known to the pool.
struct Paused {
  std::vector<std::string> models;
  bool operator==(const Paused&) const = default;
};
struct Resumed {
  std::vector<std::string> models;
  bool operator==(const Resumed&) const = default;
};
/// `told`: the control message is on its way to the worker.
struct Told {
  WorkerId worker;
  bool operator==(const Told&) const = default;
};
struct StatsReply {
  std::int64_t queued = 0, running = 0, completed = 0, failed = 0, cancelled = 0, expired = 0, dead = 0;
  std::int64_t workers = 0;
  std::int64_t malformed_messages = 0;  ///< dropped by this queen since its start
  double uptime_s = 0;
  std::int64_t queued_bytes = 0;    ///< requests and pictures of jobs that have not ended
  std::int64_t image_bytes = 0;     ///< images of ended jobs
  std::int64_t images_evicted = 0;  ///< to stay below the byte budget, since the ledger began
  std::vector<std::string> paused;  ///< models, by every name that was paused
  // Of the queen that answers, since its start:
  std::string queen;                                               ///< its name; the same after a restart
  std::int64_t malformed_events = 0, malformed_subscriptions = 0;  ///< dropped by its other two sockets
  std::int64_t rate_limited = 0;  ///< requests refused to clients that sent too many
  bool operator==(const StatsReply&) const = default;
};
using ReplyBody =
    std::variant<Accepted, Rejected, AcceptedMany, CancelAccepted, StatusReply, ListReply, WorkersReply,
                 ModelsReply, Requeued, Draining, StatsReply, Paused, Resumed, Told>;
std::string_view name(const ReplyBody& body) noexcept;  ///< "accepted", "rejected", ...

struct Reply {
  RequestId id;
  ReplyBody body = Rejected{};
  bool operator==(const Reply&) const = default;
};

}  // namespace waggle
