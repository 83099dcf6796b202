// An exported folder, opened as a user opens it.
#include "pipeline/training/export.h"

#include <fstream>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"
#include "pipeline/training/recipe.h"
#include "pipeline/training/run.h"
#include "pipeline/training/samples.h"
#include "pipeline/weights/weight_source.h"
#include "tests/pipeline/training/scratch_folder.h"

namespace waggle::training {
namespace {

RunSettings two_steps(const std::filesystem::path& folder) {
  RunSettings settings;
  settings.folder = folder;
  settings.vae = {0, 2, 2};
  settings.decoder = {0, 2, 2};
  settings.reader = {0, 2, 2};
  settings.denoiser = {0, 2, 2};
  settings.scenes = 8;
  return settings;
}

TEST_CASE("export: a run of two steps gives a folder that the pipeline renders from") {
  const test::ScratchFolder folder;
  Run run(two_steps(folder.path() / "run"));
  std::atomic<bool> stop{false};
  REQUIRE(run.train(stop));
  run.export_to(folder.path() / "model");

  const auto described = pipeline::describe_model(folder.path() / "model", "m");
  REQUIRE(described);
  CHECK(described->family == "sd15");
  CHECK(described->default_width == 128);
  CHECK(described->default_guidance == kGuidance);
  CHECK(described->default_sampler == "euler_ancestral");
  write_sample_sheet(folder.path() / "model", {"a red circle", ""}, 2, folder.path() / "sheet.png");
  std::ifstream in(folder.path() / "sheet.png", std::ios::binary);
  const auto sheet = pipeline::decode(std::string(std::istreambuf_iterator<char>(in), {}));
  REQUIRE(sheet);
  CHECK(sheet->width == 256);
  CHECK(sheet->height == 128);

  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "model"))
    if (entry.is_regular_file()) bytes += entry.file_size();
  CHECK(bytes < 16U << 20U);
}

TEST_CASE("export: a run without checkpoints has nothing to export, and says so") {
  const test::ScratchFolder folder;
  const Run run(two_steps(folder.path()));
  CHECK_THROWS_AS(run.export_to(folder.path() / "model"), pipeline::LoadError);
}

TEST_CASE("export: two runs of the same seed give the same model") {
  const test::ScratchFolder folder;
  std::atomic<bool> stop{false};
  std::vector<at::Tensor> weights;
  for (const char* name : {"one", "two"}) {
    Run run(two_steps(folder.path() / name));
    REQUIRE(run.train(stop));
    run.export_to(folder.path() / name / "model");
    pipeline::FileWeights file({folder.path() / name / "model/unet/diffusion_pytorch_model.safetensors"});
    weights.push_back(file.take("conv_in.weight", {64, 4, 3, 3}).clone());
  }
  CHECK(at::equal(weights[0], weights[1]));
}

}  // namespace
}  // namespace waggle::training
