// --hires and --refiner to a request.
#include "consumer/cli/pass_flags.h"

#include <catch2/catch.hpp>

#include "consumer/cli/job_flags.h"

using namespace waggle;
using namespace waggle::cli;

namespace {

Result<JobRequest> request_of(PassFlags passes) {
  JobFlags flags;
  flags.prompt = "a fox";
  flags.passes = std::move(passes);
  return to_request(flags, "sdxl", OutputFormat::png);
}

std::string refusal(PassFlags passes) {
  const auto request = request_of(std::move(passes));
  REQUIRE_FALSE(request);
  return request.error().message;
}

}  // namespace

TEST_CASE("cli: --hires is a factor or a size, the rest of it has defaults") {
  const auto factor = request_of({.hires = "1.5"});
  REQUIRE(factor);
  CHECK(std::get<ImageGeneration>(factor->operation).hires == Hires{1.5, {}, {}, Upscaler::latent, {}, 0.7});
  const auto size = request_of(
      {.hires = "1024x1536", .upscaler = "lanczos", .refiner = {}, .hires_steps = 12, .hires_strength = 0.4});
  REQUIRE(size);
  CHECK(std::get<ImageGeneration>(size->operation).hires ==
        Hires{{}, 1024, 1536, Upscaler::lanczos, 12, 0.4});
}

TEST_CASE("cli: --refiner names a model and the share after which it takes over") {
  const auto request = request_of({.hires = {}, .upscaler = {}, .refiner = "refiner"});
  REQUIRE(request);
  CHECK(request->refiner == Refiner{"refiner", 0.8});
}

TEST_CASE("cli: what is wrong with a pass is told by its flag") {
  CHECK(refusal({.hires = "double"}).starts_with("--hires must be a factor or WIDTHxHEIGHT"));
  CHECK(refusal({.hires = "9"}).starts_with("--hires "));
  CHECK(refusal({.hires = "2", .upscaler = "magic"}).starts_with("--hires-upscaler must be latent"));
  PassFlags steps;
  steps.hires = "2";
  steps.hires_steps = 0;
  CHECK(refusal(steps).starts_with("--hires-steps must be between 1 and 500"));
  PassFlags alone;
  alone.hires_strength = 0.5;
  CHECK(refusal(alone) == "--hires-upscaler, --hires-steps and --hires-strength need --hires");
  PassFlags start;
  start.refiner_start = 0.5;
  CHECK(refusal(start) == "--refiner-start needs --refiner");
  start.refiner = "refiner";
  start.refiner_start = 1.0;
  CHECK(refusal(start).starts_with("--refiner-start must be greater than 0 and below 1"));
}
