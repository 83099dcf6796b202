// Reading records and log entries.
#include "consumer/ledger/reading.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "schemas/codec/msgpack.h"

namespace waggle::ledger {
namespace {

std::int64_t to_number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// The word at `index` of words that one space each parts; words may be empty.
std::string_view word(std::string_view text, std::size_t index) {
  for (; index > 0; --index) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) return {};
    text.remove_prefix(space + 1);
  }
  return text.substr(0, text.find(' '));
}

using Fields = std::map<std::string_view, std::string_view>;

Fields to_fields(const Value& flat) {
  Fields fields;
  for (std::size_t i = 0; i + 1 < flat.items.size(); i += 2)
    fields[flat.items[i].text] = flat.items[i + 1].text;
  return fields;
}

std::string_view get(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : found->second;
}

int get_int(const Fields& fields, std::string_view name) {
  return static_cast<int>(to_number(get(fields, name)));
}

template <class T = std::int64_t>
std::optional<T> to_optional(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if constexpr (std::is_integral_v<T>) {
    return to_number(text);
  } else {
    return T(std::string(text));
  }
}

Error read_error(std::string_view bytes) {
  auto record = codec::from_msgpack<codec::ErrorRecord>(bytes);
  return record ? std::move(record->error) : Error{ErrorCode::internal, "the kept error is unreadable"};
}

/// The events that scripts write and every job has are one field: "q", its place; "s", "<attempt> <worker>".
/// Of the others the kind is in "t" and their fields beside it.
std::optional<EventBody> read_body(const Fields& fields) {
  if (const std::string_view place = get(fields, "q"); !place.empty()) return QueuedEvent{to_number(place)};
  if (const std::string_view start = get(fields, "s"); !start.empty())
    return StartedEvent{WorkerId(std::string(word(start, 1)))};
  const std::string_view kind = get(fields, "t");
  if (kind == "cancelled") return CancelledEvent{};
  if (kind == "expired") return ExpiredEvent{};
  if (kind == "dead") return DeadEvent{read_error(get(fields, "r"))};
  if (kind == "retried") {
    return RetriedEvent{read_error(get(fields, "r")), get_int(fields, "l"),
                        static_cast<double>(to_number(get(fields, "b"))) / 1000.0};
  }
  return std::nullopt;
}

/// "<attempt> <worker> <at_ms>\n<error bytes>"
AttemptError read_attempt_error(std::string_view text) {
  const std::size_t line = std::min(text.find('\n'), text.size());
  std::istringstream words{std::string(text.substr(0, line))};
  AttemptError error;
  words >> error.attempt >> error.worker.value >> error.at_ms;
  if (line < text.size()) error.error = read_error(text.substr(line + 1));
  return error;
}

/// An estimate and no more: the mean of this model's recent jobs, shared among as many as run now.
std::optional<double> estimate_s(const JobStatus& status, double mean_ms, std::int64_t now,
                                 std::int64_t running) {
  if (status.state == JobState::running && status.started_at_ms) {
    const double elapsed_ms = static_cast<double>(now - *status.started_at_ms);
    if (status.step > 0 && status.total_steps > 0) {
      return elapsed_ms / status.step * std::max(0, status.total_steps - status.step) / 1000.0;
    }
    if (mean_ms > 0) return std::max(0.0, mean_ms - elapsed_ms) / 1000.0;
  }
  if (status.state == JobState::queued && status.position && mean_ms > 0) {
    return mean_ms * (static_cast<double>(*status.position) / static_cast<double>(running) + 1.0) / 1000.0;
  }
  return std::nullopt;
}

}  // namespace

std::int64_t event_time_ms(std::string_view entry_id) { return to_number(entry_id); }

Result<Event> read_event(const JobId& job, const Value& entry) {
  return read_event(job, entry.at(0).text, entry.at(1));
}

Result<Event> read_event(const JobId& job, const std::string& entry_id, const Value& flat) {
  const Fields fields = to_fields(flat);
  Event event;
  if (const std::string_view bytes = get(fields, "e"); !bytes.empty()) {
    auto decoded = codec::from_msgpack<Event>(bytes);
    if (!decoded) return Error{ErrorCode::internal, "an entry of the event log is unreadable"};
    event = std::move(decoded).value();
  } else if (auto body = read_body(fields)) {
    const std::string_view start = get(fields, "s");
    event.attempt = start.empty() ? get_int(fields, "a") : static_cast<int>(to_number(word(start, 0)));
    event.body = std::move(*body);
  } else {
    return Error{ErrorCode::internal, "an entry of the event log is of no known kind"};
  }
  event.job = job;
  event.id = EventId(entry_id);
  event.at_ms = event_time_ms(entry_id);
  return event;
}

Event logged_event(const JobId& job, const std::string& entry_id, int attempt, EventBody body) {
  Event event;
  event.id = EventId(entry_id);
  event.job = job;
  event.at_ms = event_time_ms(entry_id);
  event.attempt = attempt;
  event.body = std::move(body);
  return event;
}

Result<ClaimedJob> read_claimed(const Value& row, const WorkerId& worker) {
  auto request = codec::from_msgpack<JobRequest>(row.at(2).text);
  if (!request) return Error{ErrorCode::internal, "a stored request is unreadable"};
  ClaimedJob job;
  job.lease = {JobId(row.at(0).text), static_cast<int>(row.at(1).number()), worker};
  job.request = std::move(request).value();
  job.batch_key = row.at(3).text;
  job.started = logged_event(job.lease.job, row.at(4).text, job.lease.attempt, StartedEvent{worker});
  if (row.items.size() < 8) return job;
  job.run_alone = row.at(5).number() != 0;
  if (!row.at(6).text.empty()) job.deadline_ms = row.at(6).number();
  const Value& images = row.at(7);
  for (std::size_t i = 0; i + 1 < images.items.size(); i += 2) {
    job.images_done.push_back(
        read_image(static_cast<int>(images.items[i].number()), images.items[i + 1].text));
  }
  return job;
}

Result<JobStatus> read_status(const Value& row) {
  const Fields fields = to_fields(row.at(1));
  JobStatus status;
  status.id = JobId(row.at(0).text);
  const auto state = job_state_from_name(word(get(fields, "state"), 0));
  if (!state) return Error{ErrorCode::internal, "a record without a state"};
  status.state = *state;
  status.model = get(fields, "model");
  status.priority = get_int(fields, "priority");
  status.tenant = to_optional<std::string>(get(fields, "tenant"));
  const std::string_view held = get(fields, "held"), given = get(fields, "given"), step = get(fields, "step");
  status.attempt = static_cast<int>(to_number(word(held, 0)));
  status.max_attempts = static_cast<int>(to_number(word(given, 0)));
  status.worker = to_optional<WorkerId>(word(held, 1));
  status.submitted_at_ms = to_number(word(given, 4));
  status.started_at_ms = to_optional(word(held, 4));
  status.finished_at_ms = to_optional(word(get(fields, "state"), 1));
  status.step = static_cast<int>(to_number(word(step, 0)));
  const std::string_view total = word(step, 1);
  status.total_steps = static_cast<int>(to_number(total.empty() ? word(given, 2) : total));
  status.cancel_requested = !get(fields, "cancel").empty();
  const std::string_view seed = word(given, 3);
  status.seed = to_optional(seed == "-" ? get(fields, "seed") : seed);
  if (const std::string_view error = get(fields, "error"); !error.empty()) status.error = read_error(error);
  if (row.at(2).number() >= 0) status.position = row.at(2).number();

  for (const auto& [name, value] : fields) {
    if (name.starts_with("image:")) {
      status.images.push_back(read_image(static_cast<int>(to_number(name.substr(6))), value));
    } else if (name.starts_with("attempt_error:")) {
      status.attempts.push_back(read_attempt_error(value));
    }
  }
  std::ranges::sort(status.images, {}, &ImageInfo::index);
  std::ranges::sort(status.attempts, {}, &AttemptError::attempt);
  status.eta_s =
      estimate_s(status, static_cast<double>(row.at(3).number()), row.at(4).number(), row.at(5).number());
  return status;
}

std::string describe_image(const ImageInfo& info) {
  std::ostringstream text;
  text << info.seed << ' ' << name(info.format) << ' ' << info.width << ' ' << info.height << ' '
       << info.bytes;
  return text.str();
}

ImageInfo read_image(int index, std::string_view description) {
  std::istringstream words{std::string(description)};
  ImageInfo info;
  std::string attempt, format;
  info.index = index;
  words >> attempt >> info.seed >> format >> info.width >> info.height >> info.bytes;
  info.format = output_format_from_name(format).value_or(OutputFormat::png);
  return info;
}

std::optional<Error> missing_job(std::string_view word) {
  if (word == "unknown") return Error{ErrorCode::unknown_job, "no such job"};
  if (word == "expired") return Error{ErrorCode::job_expired, "the job's record has been retired"};
  return std::nullopt;
}

}  // namespace waggle::ledger
