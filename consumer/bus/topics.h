// The names of topics, made and taken apart in one place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/ids.h"

namespace waggle::bus {

std::string jobs_topic(std::string_view model);     ///< "jobs/<model>/"
std::string jobs_topic(const WorkerId& worker);     ///< "jobs/@<worker_id>/"
std::string control_topic(const WorkerId& worker);  ///< "control/<worker_id>/"
std::string control_topic_all();                    ///< "control/*/"
std::string events_topic(const JobId& job);         ///< "events/<job_id>/"
std::string workers_topic(const WorkerId& worker);  ///< "workers/<worker_id>/"

enum class TopicKind { jobs, worker_jobs, control, events, workers };
struct Topic {
  TopicKind kind;
  std::string name;  ///< model, worker id, "*" or job id
};
/// Nothing for a topic that is not one of ours (hostile bytes included).
std::optional<Topic> parse_topic(std::string_view topic);

}  // namespace waggle::bus
