// Running jobs.
#include "tests/pipeline/adapters/finished_job.h"

#include <catch2/catch.hpp>

using namespace waggle::pipeline;

namespace waggle::adapters {

std::filesystem::path small_model_dir() { return std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15"; }

JobRequest small_request(std::string prompt) {
  JobRequest request;
  request.model = "small";
  request.prompt = std::move(prompt);
  request.sampler = "ddim";
  request.seed = 7;
  request.steps = 2;
  return request;
}

Options small_options() {
  Options options;
  options.precision = Precision::fp32;
  options.threads = 1;
  return options;
}

FinishedJob::FinishedJob(Pipeline& pipeline, JobRequest request) {
  RenderJob job;
  job.model = request.model;
  job.request = std::move(request);
  job.callbacks.preview = [this](Preview preview) { previews_.push_back(std::move(preview)); };
  job.callbacks.image = [this](RenderedImage image) { bytes_ = std::move(image.bytes); };
  job.callbacks.end = [this](Result<RenderSummary> end) { end_.set_value(std::move(end)); };
  pipeline.render(std::move(job));
}

Result<RenderSummary> FinishedJob::end() {
  auto future = end_.get_future();
  REQUIRE(future.wait_for(std::chrono::seconds(120)) == std::future_status::ready);
  return future.get();
}

Picture FinishedJob::picture() {
  const auto ended = end();
  if (!ended) FAIL(to_string(ended.error()));
  auto picture = decode(bytes_);
  REQUIRE(picture);
  return std::move(*picture);
}

Error FinishedJob::error() {
  auto ended = end();
  REQUIRE_FALSE(ended);
  return std::move(ended).error();
}

bool same(const Picture& a, const Picture& b) {
  return a.width == b.width && a.height == b.height && a.samples == b.samples;
}

}  // namespace waggle::adapters
