// Where the jobs of a run are rendered: the pool, or this process. What happens to them comes back as values,
// on the caller's thread.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "schemas/error.h"
#include "schemas/job.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

struct Task {
  std::size_t index = 0;
  JobRequest request;        ///< pictures as bytes; with an idempotency key
  std::vector<int> written;  ///< images that need not be rendered or brought again
};

struct Started {
  std::size_t index;
  std::string worker;
};
struct Progressed {
  std::size_t index;
  int step, total;
};
struct Picture {
  std::size_t index;
  ImageInfo info;
  std::string bytes;
};
/// After its last picture.
struct Completed {
  std::size_t index;
  std::string worker;
  double render_s;
};
struct Failed {
  std::size_t index;
  std::string worker;
  Error error;
};
/// The job ended without a picture and without a fault of its own (its record is gone, or an earlier session
/// had cancelled it): it wants another idempotency key.
struct Lost {
  std::size_t index;
};
/// As stop() asked.
struct Cancelled {
  std::size_t index;
};
/// Something to wait for, such as a full queue; empty: the wait is over.
struct Waiting {
  std::string why;
};
using Happening = std::variant<Started, Progressed, Picture, Completed, Failed, Lost, Cancelled, Waiting>;

class Backend {
 public:
  virtual ~Backend() = default;
  /// Takes the task in any case; exactly one of Completed, Failed, Lost and Cancelled ends it.
  virtual void submit(Task task) = 0;
  /// What has happened, after at most about so long. Errors: the run cannot go on.
  virtual Result<std::vector<Happening>> wait(std::chrono::milliseconds timeout) = 0;
  /// Cancels everything that is in hand.
  virtual void stop() = 0;
};

}  // namespace waggle::cli::batch
