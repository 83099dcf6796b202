// loss.csv across runs and kills.
#include "pipeline/training/loss_curve.h"

#include <catch2/catch.hpp>

#include "tests/pipeline/training/scratch_folder.h"

namespace waggle::training {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("loss curve: a resumed run drops its own rows behind the checkpoint and nobody else's") {
  const test::ScratchFolder folder;
  const auto file = folder.path() / "loss.csv";
  {
    LossCurve first(file, "vae", 0);
    first.add({900, 1, 0.5, 1e-3, 1});
    LossCurve second(file, "denoiser", 0);
    for (const std::int64_t step : {20, 40, 60}) second.add({step, 1, 0.25, 1e-3, 1});
  }
  LossCurve resumed(file, "denoiser", 40);
  resumed.add({60, 2, 0.125, 1e-3, 1});
  CHECK(text_of(file) ==
        "stage,step,seconds,loss,rate,gradient\n"
        "vae,900,1.0,0.500000,1.000e-03,1.0000\n"
        "denoiser,20,1.0,0.250000,1.000e-03,1.0000\n"
        "denoiser,40,1.0,0.250000,1.000e-03,1.0000\n"
        "denoiser,60,2.0,0.125000,1.000e-03,1.0000\n");
}

TEST_CASE("loss curve: half a row, as a kill leaves it, is dropped") {
  const test::ScratchFolder folder;
  const auto file = folder.path() / "loss.csv";
  std::ofstream(file) << "stage,step,seconds,loss,rate,gradient\nvae,20,1.0,0.5,1e-3,1\nvae,4";
  LossCurve(file, "vae", 20);
  CHECK(text_of(file) == "stage,step,seconds,loss,rate,gradient\nvae,20,1.0,0.5,1e-3,1\n");
}

TEST_CASE("loss curve: a folder that does not exist is an error that names the file") {
  CHECK_THROWS_WITH(LossCurve("/nonexistent/loss.csv", "vae", 0), Catch::Contains("/nonexistent/loss.csv"));
}

}  // namespace
}  // namespace waggle::training
