// Seeds mean what they mean in PyTorch. The numbers are those of torch.randn after torch.manual_seed(0).
#include "pipeline/samplers/noise.h"

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

namespace waggle::pipeline {

TEST_CASE("noise: seed 0 draws PyTorch's numbers") {
  const at::Tensor many = SeededNoise(0).draw({4, 4}).flatten();
  const double expected[] = {-1.1258, -1.1524, -0.2506, -0.4339};
  for (int i = 0; i < 4; ++i) CHECK(many[i].item<double>() == Approx(expected[i]).margin(5e-5));
  const at::Tensor few = SeededNoise(0).draw({2});
  CHECK(few[0].item<double>() == Approx(1.5410).margin(5e-5));
  CHECK(few[1].item<double>() == Approx(-0.2934).margin(5e-5));
}

TEST_CASE("noise: the second draw goes on where the first ended") {
  SeededNoise stream(9);
  const at::Tensor first = stream.draw({1, 4, 8, 8});
  const at::Tensor second = stream.draw({1, 4, 8, 8});
  CHECK_FALSE(at::equal(first, second));
  CHECK(at::equal(first, SeededNoise(9).draw({1, 4, 8, 8})));
  CHECK_FALSE(at::equal(first, SeededNoise(10).draw({1, 4, 8, 8})));
}

}  // namespace waggle::pipeline
