// Jobs run to their end through the pipeline's face, for tests of what jobs can name.
#pragma once

#include <future>
#include <string>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"

namespace waggle::adapters {

/// Two steps of DDIM on the small SD 1.5 of the tree, which is loaded as "small".
JobRequest small_request(std::string prompt = "a red circle");
pipeline::Options small_options();
std::filesystem::path small_model_dir();

/// One job on its way.
class FinishedJob {
 public:
  FinishedJob(pipeline::Pipeline& pipeline, JobRequest request);
  FinishedJob(const FinishedJob&) = delete;
  FinishedJob& operator=(const FinishedJob&) = delete;

  /// Pixels of its picture; the test fails when it has none.
  pipeline::Picture picture();
  /// Why it has none; the test fails when it has one.
  Error error();
  /// After one of the above.
  [[nodiscard]] const std::vector<pipeline::Preview>& previews() const { return previews_; }

 private:
  Result<pipeline::RenderSummary> end();
  std::string bytes_;
  std::vector<pipeline::Preview> previews_;
  std::promise<Result<pipeline::RenderSummary>> end_;
};

/// The same pixels, to the bit.
bool same(const pipeline::Picture& a, const pipeline::Picture& b);

}  // namespace waggle::adapters
