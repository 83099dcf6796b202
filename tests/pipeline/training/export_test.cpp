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

TEST_CASE("export: a run that starts from an exported folder goes on from its weights") {
  const test::ScratchFolder folder;
  std::atomic<bool> stop{false};
  Run first(two_steps(folder.path() / "first"));
  REQUIRE(first.train(stop));
  first.export_to(folder.path() / "model");

  RunSettings settings = two_steps(folder.path() / "second");
  settings.from = folder.path() / "model";
  settings.extended = {"denoiser"};
  Run second(settings);
  REQUIRE(second.train(stop));
  second.export_to(folder.path() / "more");

  const auto weight = [&](const char* model, const char* file, const char* name, at::IntArrayRef shape) {
    pipeline::FileWeights source({folder.path() / model / file});
    return source.take(name, shape).to(at::kFloat);
  };
  const char *vae = "vae/diffusion_pytorch_model.safetensors",
             *unet = "unet/diffusion_pytorch_model.safetensors";
  CHECK(at::equal(weight("more", vae, "decoder.conv_out.weight", {3, 16, 3, 3}),
                  weight("model", vae, "decoder.conv_out.weight", {3, 16, 3, 3})));
  const at::Tensor before = weight("model", unet, "conv_in.weight", {64, 4, 3, 3});
  const at::Tensor after = weight("more", unet, "conv_in.weight", {64, 4, 3, 3});
  CHECK_FALSE(at::equal(before, after));
  CHECK(at::allclose(before, after, 0, 2e-3));
}

TEST_CASE("export: a run does not start from a model that has other words") {
  const test::ScratchFolder folder;
  std::atomic<bool> stop{false};
  Run first(two_steps(folder.path() / "first"));
  REQUIRE(first.train(stop));
  first.export_to(folder.path() / "model");
  std::ofstream(folder.path() / "model/tokenizer/merges.txt") << "#version: 0.2\n";

  RunSettings settings = two_steps(folder.path() / "second");
  settings.from = folder.path() / "model";
  CHECK_THROWS_AS(Run(settings), pipeline::LoadError);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "second/vae.safetensors"));
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
