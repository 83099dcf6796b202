// Weights in int8 through the pipeline's face: what is said of them, and what they do to a picture.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/engine/device.h"
#include "pipeline/pipeline.h"
#include "tests/pipeline/engine/one_render.h"

using namespace waggle;
using namespace waggle::pipeline;
using waggle::pipeline::testing::OneRender;

namespace {

const std::filesystem::path kModel = WAGGLE_DEMO_MODEL;  // the golden models are too narrow to be quantised

Options with(Precision precision) {
  Options options;
  options.precision = precision;
  options.threads = 1;
  return options;
}

JobRequest job(std::int64_t seed) {
  JobRequest r;
  r.model = "shapes";
  r.prompt = "a red circle, white background";
  r.seed = seed;
  r.steps = 4;
  r.sampler = "euler";
  r.operation = ImageGeneration{128, 128};
  return r;
}

double mean_difference(const Picture& a, const Picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) sum += std::abs(a.samples[i] - b.samples[i]);
  return sum / static_cast<double>(a.samples.size());
}

}  // namespace

TEST_CASE("int8: a picture says that its weights were, and is little off the exact one") {
  Pipeline exact(with(Precision::automatic)), traded(with(Precision::int8));
  REQUIRE(exact.load(kModel, "shapes"));
  REQUIRE(traded.load(kModel, "shapes"));
  CHECK(traded.precision() == "int8");
  CHECK(traded.model_bytes("shapes") <= exact.model_bytes("shapes"));
  OneRender one(exact, job(4)), other(traded, job(4));
  CHECK(one.parameters().find("Weights") == std::string::npos);
  CHECK(other.parameters().find(", Weights: int8, Version: ") != std::string::npos);
  const double off = mean_difference(one.picture(), other.picture());
  CHECK(off > 0);
  CHECK(off < 4);
}

TEST_CASE("int8: a picture does not depend on what else is in the batch") {
  Pipeline alone(with(Precision::int8)), shared(with(Precision::int8));
  REQUIRE(alone.load(kModel, "shapes"));
  REQUIRE(shared.load(kModel, "shapes"));
  OneRender one(alone, job(4));
  const Picture expected = one.picture();
  OneRender first(shared, job(3)), second(shared, job(4)), third(shared, job(5));
  CHECK(testing::largest_difference(second.picture(), expected) <= 1);
}

TEST_CASE("int8: is refused in one line where there is no CPU to do it") {
  CHECK_THROWS_WITH(dtype_for({DeviceKind::cuda, 0}, Precision::int8),
                    "int8 needs a CPU; a GPU has fp32, bf16 and fp16");
}
