// The worker's parts that need no queue: the job boundary, the clocks, the rules of an attempt's end, the
// null renderer.
#include <array>
#include <cstdint>
#include <filesystem>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include <catch2/catch.hpp>

#include "consumer/worker/boundary.h"
#include "consumer/worker/clocks.h"
#include "consumer/worker/null_renderer.h"
#include "consumer/worker/verdict.h"
#include "pipeline/image/picture.h"

namespace waggle::worker {
namespace {

using namespace std::chrono_literals;

const JobId kJob("0190d0d0-0000-7000-8000-000000000001");

template <class Thrown>
Error caught(Thrown thrown) {
  const Status status = at_boundary(kJob, [&]() -> Status { throw thrown; });
  REQUIRE_FALSE(status);
  return status.error();
}

TEST_CASE("worker: every kind of exception becomes a coded error at the job boundary") {
  CHECK(caught(std::bad_alloc()).code == ErrorCode::out_of_memory);
  CHECK(caught(std::bad_array_new_length()).code == ErrorCode::out_of_memory);
  CHECK(caught(std::runtime_error(
                   "[enforce fail at alloc_cpu.cpp:66] DefaultCPUAllocator: can't allocate memory"))
            .code == ErrorCode::out_of_memory);
  CHECK(caught(std::runtime_error("CUDA out of memory. Tried to allocate 20.00 MiB")).code ==
        ErrorCode::out_of_memory);
  CHECK(caught(std::runtime_error("CUDA error: an illegal memory access was encountered")).code ==
        ErrorCode::device_error);
  CHECK(caught(std::runtime_error("shape '[7]' is invalid for input of size 4")).code == ErrorCode::internal);
  CHECK(caught(std::filesystem::filesystem_error("open", std::error_code())).code == ErrorCode::io_error);
  CHECK(caught(std::system_error(EAGAIN, std::generic_category())).code == ErrorCode::internal);
  CHECK(caught(std::logic_error("logic")).code == ErrorCode::internal);
  CHECK(caught(42).code == ErrorCode::internal);
  CHECK(caught("text").code == ErrorCode::internal);
  struct Strange {};
  CHECK(caught(Strange{}).code == ErrorCode::internal);
  CHECK(at_boundary(kJob, []() -> Status { return Done{}; }));
}

TEST_CASE("worker: what an exception says stays off the wire") {
  const Error error = caught(std::runtime_error("/home/bee/secret prompt"));
  CHECK(error.message.find("secret") == std::string::npos);
  CHECK_FALSE(error.message.empty());
}

TEST_CASE("worker: a device hangs when nothing has moved for ten median steps, and at least for the floor") {
  WedgeClock clock(30s, 600s);
  WedgeClock::Time now{};
  pipeline::EngineStats stats;
  CHECK_FALSE(clock.wedged(now += 1h, stats, 0));  // idle is not hanging
  stats.jobs_running = 1;
  CHECK_FALSE(clock.wedged(now, stats, 0));
  CHECK_FALSE(clock.wedged(now += 599s, stats, 0));  // the first step may take longer
  stats.unet_calls = 1;
  stats.step_median_s = 2;
  CHECK_FALSE(clock.wedged(now += 500s, stats, 0));
  CHECK_FALSE(clock.wedged(now += 29s, stats, 0));
  CHECK(clock.wedged(now += 2s, stats, 0));
  CHECK_FALSE(clock.wedged(now, stats, 1));  // a callback is a sign of life
  stats.step_median_s = 20;
  CHECK_FALSE(clock.wedged(now += 199s, stats, 1));
  CHECK(clock.wedged(now += 2s, stats, 1));
  stats.jobs_running = 0;
  CHECK_FALSE(clock.wedged(now += 1h, stats, 1));
}

TEST_CASE("worker: the limit of an attempt grows with steps, images and pixels") {
  JobRequest request;
  request.steps = 10;
  request.operation = ImageGeneration{512, 512};
  CHECK(attempt_limit(request, 100s, 2s) == Seconds(120));
  request.n = 3;
  CHECK(attempt_limit(request, 100s, 2s) == Seconds(160));
  request.operation = ImageGeneration{1024, 1024};
  CHECK(attempt_limit(request, 100s, 2s) == Seconds(340));
  request.operation = ImageGeneration{64, 64};
  CHECK(attempt_limit(request, 100s, 2s) == Seconds(160));
  request.operation = ImageTransform{};
  CHECK(attempt_limit(request, 100s, 2s) == Seconds(340));
}

TEST_CASE("worker: the circuit breaker opens after own failures in a row, not after bad jobs") {
  Breaker breaker(3);
  CHECK_FALSE(breaker.failed(ErrorCode::internal));
  CHECK_FALSE(breaker.failed(ErrorCode::device_error));
  CHECK_FALSE(breaker.failed(ErrorCode::unknown_sampler));
  breaker.succeeded();
  CHECK_FALSE(breaker.failed(ErrorCode::internal));
  CHECK_FALSE(breaker.failed(ErrorCode::out_of_memory));
  CHECK_FALSE(breaker.open());
  CHECK(breaker.failed(ErrorCode::internal));
  CHECK(breaker.open());
}

TEST_CASE("worker: why an attempt was stopped decides how it ends") {
  NullRenderer renderer({});
  const Result<pipeline::RenderSummary> stopped = Error{ErrorCode::cancelled, "cancelled"};
  const auto end = [&](Stop reason, const Result<pipeline::RenderSummary>& result) {
    Assignment assignment({});
    if (reason != Stop::none) assignment.stop(reason, renderer);
    return end_of(assignment, result, 1.5);
  };
  CHECK(name(end(Stop::cancelled, stopped).value()) == "cancelled");
  CHECK(std::get<FailedEvent>(end(Stop::stalled, stopped).value()).error.code == ErrorCode::stalled);
  CHECK_FALSE(end(Stop::released, stopped));
  CHECK_FALSE(end(Stop::none, stopped));  // the renderer shut down by itself
  const Result<pipeline::RenderSummary> failed = Error{ErrorCode::out_of_memory, "too big"};
  CHECK(std::get<FailedEvent>(end(Stop::cancelled, failed).value()).error.code == ErrorCode::out_of_memory);
  const Result<pipeline::RenderSummary> done = pipeline::RenderSummary{};
  CHECK(name(end(Stop::cancelled, done).value()) == "completed");  // too late; the ledger has the last word
}

TEST_CASE("worker: an image that could not be stored fails its job") {
  Assignment assignment({});
  assignment.commit_error = Error{ErrorCode::io_error, "full"};
  const auto end = end_of(assignment, pipeline::RenderSummary{}, 1);
  REQUIRE(end);
  CHECK(std::get<FailedEvent>(*end).error.code == ErrorCode::io_error);
}

TEST_CASE("worker: images of earlier attempts are part of the end, in order") {
  ledger::ClaimedJob claimed;
  claimed.images_done = {{1, 8}};
  Assignment assignment(claimed);
  assignment.images.push_back({0, 7});
  pipeline::RenderSummary summary;
  summary.resolved.seed = 7;
  const auto end = end_of(assignment, summary, 1);
  const auto& completed = std::get<CompletedEvent>(end.value());
  REQUIRE(completed.images.size() == 2);
  CHECK(completed.images[0].seed == 7);
  CHECK(completed.images[1].seed == 8);
  CHECK(completed.seed == 7);
}

TEST_CASE("worker: the null renderer reports every step, its images, and one end") {
  NullRenderer renderer({100us, 0ms, {"null"}});
  REQUIRE(renderer.load("null"));
  CHECK_FALSE(renderer.load("other"));
  CHECK(renderer.describe().models.at(0).loaded);
  pipeline::RenderJob job;
  job.request.steps = 3;
  job.request.n = 3;
  job.request.seed = 10;
  job.done = {1};
  int steps = 0, total = 0;
  std::vector<ImageInfo> images;
  std::promise<bool> ended;
  job.callbacks.progress = [&](int step, int of) {
    CHECK(step == ++steps);
    total = of;
  };
  job.callbacks.image = [&](pipeline::RenderedImage image) {
    const auto picture = pipeline::decode(image.bytes);
    REQUIRE(picture);
    CHECK(picture->samples == std::vector<std::uint8_t>{0, 0, static_cast<std::uint8_t>(image.info.seed)});
    images.push_back(image.info);
  };
  job.callbacks.end = [&](Result<pipeline::RenderSummary> result) { ended.set_value(result.has_value()); };
  renderer.render(std::move(job));
  CHECK(ended.get_future().get());
  CHECK(steps == 6);
  CHECK(total == 6);
  REQUIRE(images.size() == 2);
  CHECK(images[0].seed == 10);
  CHECK(images[1].seed == 12);
}

TEST_CASE("worker: a cancelled job of the null renderer ends within a step") {
  NullRenderer renderer({10s, 0ms, {"null"}});
  pipeline::RenderJob job;
  std::promise<ErrorCode> ended;
  job.callbacks.end = [&](Result<pipeline::RenderSummary> result) { ended.set_value(result.error().code); };
  const auto start = std::chrono::steady_clock::now();
  renderer.cancel(renderer.render(std::move(job)));
  CHECK(ended.get_future().get() == ErrorCode::cancelled);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

}  // namespace
}  // namespace waggle::worker
