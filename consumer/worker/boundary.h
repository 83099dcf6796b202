// The one boundary between a job and the worker: whatever a job's code throws becomes a coded Error, so that
// no job's content can end the process.
#pragma once

#include "schemas/ids.h"
#include "schemas/result.h"

namespace waggle::worker {

/// The exception in flight as an Error that may cross the wire: its own text goes to the log under the job's
/// id, never into the message. Call inside a catch block.
Error error_in_flight(const JobId& job) noexcept;

/// Runs the body, which answers with a Status or throws anything at all.
template <class Body>
Status at_boundary(const JobId& job, Body&& body) noexcept {
  try {
    return body();
  } catch (...) {
    return error_in_flight(job);
  }
}

}  // namespace waggle::worker
