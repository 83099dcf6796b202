// The `type` of every request, reply and control message.
#include "schemas/message.h"

namespace waggle {

namespace {

struct ControlName {
  std::string_view operator()(const ControlCancel&) const { return "cancel"; }
  std::string_view operator()(const ControlDrain&) const { return "drain"; }
  std::string_view operator()(const ControlLoadModel&) const { return "load_model"; }
  std::string_view operator()(const ControlUnloadModel&) const { return "unload_model"; }
};

struct RequestName {
  std::string_view operator()(const SubmitRequest&) const { return "submit"; }
  std::string_view operator()(const SubmitManyRequest&) const { return "submit_many"; }
  std::string_view operator()(const CancelRequest&) const { return "cancel"; }
  std::string_view operator()(const StatusRequest&) const { return "status"; }
  std::string_view operator()(const ListRequest&) const { return "list"; }
  std::string_view operator()(const WorkersRequest&) const { return "workers"; }
  std::string_view operator()(const ModelsRequest&) const { return "models"; }
  std::string_view operator()(const RequeueRequest&) const { return "requeue"; }
  std::string_view operator()(const DrainRequest&) const { return "drain"; }
  std::string_view operator()(const StatsRequest&) const { return "stats"; }
  std::string_view operator()(const PauseRequest&) const { return "pause"; }
  std::string_view operator()(const ResumeRequest&) const { return "resume"; }
  std::string_view operator()(const LoadModelRequest&) const { return "load_model"; }
  std::string_view operator()(const UnloadModelRequest&) const { return "unload_model"; }
};

struct ReplyName {
  std::string_view operator()(const Accepted&) const { return "accepted"; }
  std::string_view operator()(const Rejected&) const { return "rejected"; }
  std::string_view operator()(const AcceptedMany&) const { return "accepted_many"; }
  std::string_view operator()(const CancelAccepted&) const { return "cancelled"; }
  std::string_view operator()(const StatusReply&) const { return "status"; }
  std::string_view operator()(const ListReply&) const { return "list"; }
  std::string_view operator()(const WorkersReply&) const { return "workers"; }
  std::string_view operator()(const ModelsReply&) const { return "models"; }
  std::string_view operator()(const Requeued&) const { return "requeued"; }
  std::string_view operator()(const Draining&) const { return "draining"; }
  std::string_view operator()(const StatsReply&) const { return "stats"; }
  std::string_view operator()(const Paused&) const { return "paused"; }
  std::string_view operator()(const Resumed&) const { return "resumed"; }
  std::string_view operator()(const Told&) const { return "told"; }
};

}  // namespace

std::string_view name(const Control& control) noexcept { return std::visit(ControlName{}, control); }

std::string_view name(const RequestBody& body) noexcept { return std::visit(RequestName{}, body); }

std::string_view name(const ReplyBody& body) noexcept { return std::visit(ReplyName{}, body); }

}  // namespace waggle
