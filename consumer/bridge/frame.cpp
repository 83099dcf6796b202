// Events of the log as SSE payloads. The names and fields are those that existing clients read.
#include "consumer/bridge/frame.h"

#include <charconv>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "schemas/codec/base64.h"

namespace waggle::bridge {
namespace {

using Json = nlohmann::ordered_json;

std::string image_url(const JobId& job, int index) {
  return "/v1/jobs/" + job.value + "/images/" + std::to_string(index);
}

/// A message on one line: what follows a newline would be read as another field of the stream.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

/// Fills the payload and the frame's traits; one overload per event type.
struct Describe {
  const Event& event;
  const std::string& first_image;
  Frame& frame;
  Json& data;

  void name(const char* sse_name) const {
    frame.name = sse_name;
    data["type"] = sse_name;
    data["job_id"] = event.job.value;
  }
  void failure(const Error& error, const char* state) const {
    name("error");
    data["message"] = error.message;
    data["code"] = traits(error.code).name;
    data["retryable"] = error.retryable();
    frame.last_line =
        "[ERROR] " + one_line(error.message.empty() ? std::string(traits(error.code).name) : error.message);
    frame.end_state = state;
  }

  void operator()(const QueuedEvent& e) const {
    name("queued");
    data["position"] = e.position;
  }
  void operator()(const StartedEvent& e) const {
    name("started");
    data["worker_id"] = e.worker.value;
    data["attempt"] = event.attempt;
    frame.running = true;
  }
  void operator()(const ProgressEvent& e) const {
    name("progress");
    data["step"] = e.step;
    data["total"] = e.total;
    data["percent"] = e.percent;
    data["attempt"] = event.attempt;
    frame.droppable = frame.running = true;
  }
  void operator()(const PreviewEvent& e) const {
    name("preview");
    data["step"] = e.step;
    data["total"] = e.total;
    data["index"] = e.index;
    data["format"] = waggle::name(e.format);
    data["image"] = codec::base64_encode(e.image);
    frame.droppable = frame.running = true;
  }
  void operator()(const CompletedEvent& e) const {
    name("complete");
    data["image"] = first_image.empty() ? Json(nullptr) : Json(codec::base64_encode(first_image));
    data["format"] = waggle::name(e.images.empty() ? OutputFormat::png : e.images.front().format);
    data["images"] = Json::array();
    for (const ImageInfo& image : e.images) {
      data["images"].push_back({{"url", image_url(event.job, image.index)},
                                {"index", image.index},
                                {"seed", image.seed},
                                {"format", waggle::name(image.format)},
                                {"width", image.width},
                                {"height", image.height},
                                {"bytes", image.bytes}});
    }
    data["seed"] = e.seed;
    data["render_s"] = e.render_s;
    frame.last_line = "[DONE]";
    frame.end_state = "completed";
  }
  void operator()(const FailedEvent& e) const { failure(e.error, "failed"); }
  void operator()(const DeadEvent& e) const { failure(e.error, "dead"); }
  void operator()(const ExpiredEvent&) const {
    failure(Error{ErrorCode::deadline_exceeded, "the job's deadline passed"}, "expired");
  }
  void operator()(const CancelledEvent&) const {
    name("cancelled");
    frame.last_line = "[CANCELLED]";
    frame.end_state = "cancelled";
  }
  void operator()(const RetriedEvent& e) const {
    name("retried");
    data["message"] = e.error.message;
    data["code"] = traits(e.error.code).name;
    data["attempts_left"] = e.attempts_left;
    data["backoff_s"] = e.backoff_s;
  }
};

/// The end of a job whose terminal event the reader has seen already, or whose log is gone.
Frame end_frame(const JobStatus& status, const EventId& after) {
  Frame frame;
  frame.id = after;
  frame.end_state = std::string(name(status.state));
  switch (status.state) {
    case JobState::completed:
      frame.last_line = "[DONE]";
      break;
    case JobState::cancelled:
      frame.last_line = "[CANCELLED]";
      break;
    default:
      frame.last_line = "[ERROR] " + one_line(status.error ? status.error->message : frame.end_state);
      break;
  }
  return frame;
}

/// Image 0 of a finished job; empty when it has been retired: the stream goes on without it.
std::string first_image(ledger::Ledger& ledger, const Event& event) {
  const auto* completed = std::get_if<CompletedEvent>(&event.body);
  if (completed == nullptr || completed->images.empty()) return {};
  return ledger.image(event.job, completed->images.front().index).value_or({});
}

std::pair<std::uint64_t, std::uint64_t> parts(const EventId& id) {
  std::pair<std::uint64_t, std::uint64_t> numbers{0, 0};
  const char* end = id.value.data() + id.value.size();
  const auto [dash, failed] = std::from_chars(id.value.data(), end, numbers.first);
  if (failed == std::errc{} && dash != end) std::from_chars(dash + 1, end, numbers.second);
  return numbers;
}

}  // namespace

std::strong_ordering compare(const EventId& a, const EventId& b) { return parts(a) <=> parts(b); }

std::int64_t milliseconds_of(const EventId& id) { return static_cast<std::int64_t>(parts(id).first); }

Frame to_frame(const Event& event, const std::string& first_image) {
  Frame frame;
  Json data;
  frame.id = event.id;
  std::visit(Describe{event, first_image, frame, data}, event.body);
  if (!frame.name.empty()) frame.data = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  return frame;
}

Result<LogRead> read_frames(ledger::Ledger& ledger, const JobId& job, const EventId& after, int limit) {
  auto page = ledger.events(job, after, limit);
  if (!page) return page.error();
  LogRead read;
  if (page->events.empty()) {
    const auto status = ledger.status(job);
    if (!status) return status.error();
    if (!is_terminal(status->state)) return read;
    // It may have ended between the two calls: then the log tells more than the state.
    page = ledger.events(job, after, limit);
    if (!page) return page.error();
    if (page->events.empty()) {
      read.frames.push_back(std::make_shared<const Frame>(end_frame(*status, after)));
      return read;
    }
  }
  const std::vector<Event>& events = page->events;
  read.more = std::ssize(events) >= limit;
  for (std::size_t i = 0; i < events.size(); ++i) {
    Frame frame = to_frame(events[i], first_image(ledger, events[i]));
    bool followed = i + 1 < events.size();
    if (frame.ends() && !followed && read.more) {
      const auto next = ledger.events(job, events[i].id, 1);
      followed = next.has_value() && !next->events.empty();
    }
    if (frame.ends() && followed) frame.last_line.clear();
    read.frames.push_back(std::make_shared<const Frame>(std::move(frame)));
  }
  return read;
}

}  // namespace waggle::bridge
