// Everything that a queen says on topics. What is said here is in Redis already, so nothing is lost when
// nobody hears it.
//
// Belongs to one thread.
#pragma once

#include <string>

#include "consumer/bus/bus.h"
#include "schemas/event.h"
#include "schemas/message.h"

namespace waggle::queen {

class Announcer {
 public:
  Announcer(bus::Context& context, const std::string& proxy) : publisher_(context, {proxy}) {}

  /// A job waits: on `jobs/<model>/`, or on `jobs/@<worker_id>/` when the request names its worker.
  void job(const JobId& id, const JobRequest& request);
  void job(const JobId& id, const std::string& model);
  void event(const Event& event);
  void control(const WorkerId& worker, const Control& control);

 private:
  bus::Publisher publisher_;
};

}  // namespace waggle::queen
