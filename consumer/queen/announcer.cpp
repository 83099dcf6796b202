// Topics and bytes of a queen's messages.
#include "consumer/queen/announcer.h"

#include "consumer/bus/topics.h"
#include "schemas/codec/msgpack.h"

namespace waggle::queen {

void Announcer::job(const JobId& id, const JobRequest& request) {
  const std::string topic =
      request.worker_id ? bus::jobs_topic(*request.worker_id) : bus::jobs_topic(request.model);
  publisher_.send(topic, codec::to_msgpack(JobAnnouncement{id, request.model, request.priority}));
}

void Announcer::job(const JobId& id, const std::string& model) {
  publisher_.send(bus::jobs_topic(model), codec::to_msgpack(JobAnnouncement{id, model, 0}));
}

void Announcer::event(const Event& event) {
  publisher_.send(bus::events_topic(event.job), codec::to_msgpack(event));
}

void Announcer::control(const WorkerId& worker, const Control& control) {
  publisher_.send(bus::control_topic(worker), codec::to_msgpack(control));
}

}  // namespace waggle::queen
