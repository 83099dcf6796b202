// What a job that fails in the middle does to the others in its batch: nothing.
#include <future>
#include <stdexcept>

#include "tests/pipeline/engine/one_render.h"

using namespace waggle;
using namespace waggle::pipeline;
using testing::largest_difference;
using testing::OneRender;

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";

JobRequest request(std::int64_t seed, int steps, const char* sampler) {
  JobRequest r;
  r.model = "small";
  r.prompt = "a red circle";
  r.seed = seed;
  r.steps = steps;
  r.sampler = sampler;
  r.operation = ImageGeneration{64, 64};
  return r;
}

}  // namespace

TEST_CASE(
    "thrown out: a job whose own code throws ends alone, the others of its batch as if it had not been") {
  Options options;
  options.precision = Precision::fp32;
  options.threads = 1;
  Pipeline pipeline(options);
  REQUIRE(pipeline.load(kModel, "small"));
  const Picture alone = OneRender(pipeline, request(1, 30, "euler")).picture();

  OneRender neighbour(pipeline, request(1, 30, "euler"));
  neighbour.wait_for_steps(2);
  std::promise<Result<RenderSummary>> ended;
  RenderJob doomed;
  doomed.model = "small";
  doomed.request = request(2, 5, "ddim");
  doomed.describe = [](const JobRequest&) -> std::string { throw std::runtime_error("no words for it"); };
  doomed.callbacks.end = [&](Result<RenderSummary> end) { ended.set_value(std::move(end)); };
  pipeline.render(std::move(doomed));
  OneRender late(pipeline, request(3, 7, "heun"));  // joins while the other fails

  auto future = ended.get_future();
  REQUIRE(future.wait_for(std::chrono::seconds(240)) == std::future_status::ready);
  const auto end = future.get();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::internal);
  CHECK(end.error().message.find("no words") == std::string::npos);  // details stay in the log
  CHECK(largest_difference(neighbour.picture(), alone) <= 1);
  CHECK(largest_difference(late.picture(), OneRender(pipeline, request(3, 7, "heun")).picture()) <= 1);
}
