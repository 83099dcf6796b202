// One value of every message and of every alternative of it, minimal and full: what the vectors are made from
// and what the hostile tests mutilate.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "schemas/codec/json.h"
#include "schemas/codec/msgpack.h"

namespace waggle::codec::test {

/// The alternatives' order is the order of `kind` names in vectors.h.
using AnyMessage = std::variant<Request, Reply, Event, WorkerInfo, JobAnnouncement, Control, JobRequest,
                                JobStatus, ErrorRecord>;

struct Sample {
  std::string name;  ///< of the vector's file
  AnyMessage value;
};

const std::vector<Sample>& samples();

/// A job request with every field set.
JobRequest full_job();

}  // namespace waggle::codec::test
