// Topic names. A model's name may hold slashes; a subscriber that matches a longer name by prefix gets one
// hint too many.
#include "consumer/bus/topics.h"

#include <algorithm>

#include "schemas/limits.h"
#include "schemas/validate.h"

namespace waggle::bus {
namespace {

std::string join(std::string_view kind, std::string_view name) {
  std::string topic(kind);
  topic += name;
  topic += '/';
  return topic;
}

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kMaxNameBytes && name.front() != '@' &&
         std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

std::string jobs_topic(std::string_view model) { return join("jobs/", model); }
std::string jobs_topic(const WorkerId& worker) { return join("jobs/@", worker.value); }
std::string control_topic(const WorkerId& worker) { return join("control/", worker.value); }
std::string control_topic_all() { return "control/*/"; }
std::string events_topic(const JobId& job) { return join("events/", job.value); }
std::string workers_topic(const WorkerId& worker) { return join("workers/", worker.value); }

std::optional<Topic> parse_topic(std::string_view topic) {
  if (topic.size() > limits::kMaxTopicBytes || !topic.ends_with('/') || !is_valid_utf8(topic))
    return std::nullopt;
  const std::size_t slash = topic.find('/');
  if (slash + 1 == topic.size()) return std::nullopt;
  const std::string_view kind = topic.substr(0, slash);
  const std::string_view name = topic.substr(slash + 1, topic.size() - slash - 2);
  const auto found = [&](TopicKind what, std::string_view text) { return Topic{what, std::string(text)}; };

  if (kind == "jobs" && name.starts_with('@')) {
    if (is_valid_worker_id(name.substr(1))) return found(TopicKind::worker_jobs, name.substr(1));
  } else if (kind == "jobs") {
    if (is_model_name(name)) return found(TopicKind::jobs, name);
  } else if (kind == "control") {
    if (name == "*" || is_valid_worker_id(name)) return found(TopicKind::control, name);
  } else if (kind == "events") {
    if (is_valid_job_id(name)) return found(TopicKind::events, name);
  } else if (kind == "workers") {
    if (is_valid_worker_id(name)) return found(TopicKind::workers, name);
  }
  return std::nullopt;
}

}  // namespace waggle::bus
