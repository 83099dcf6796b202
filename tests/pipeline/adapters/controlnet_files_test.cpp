// ControlNets in single files, and what there is room for.
#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/engine/controlnets.h"
#include "pipeline/weights/original_names.h"
#include "pipeline/weights/safetensors.h"
#include "tests/pipeline/adapters/finished_job.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

const std::filesystem::path kNet = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "controlnet-sd15";

NamedTensors net_tensors() {
  const auto file = SafetensorsFile::open(kNet / "diffusion_pytorch_model.safetensors").value();
  NamedTensors tensors;
  for (const auto& [name, entry] : file.entries()) tensors.emplace_back(name, file.tensor(name));
  return tensors;
}

int picture_blocks(const NamedTensors& tensors) {
  int blocks = 0;
  for (const auto& [name, tensor] : tensors)
    blocks += name.starts_with("controlnet_cond_embedding.blocks.") && name.ends_with(".weight");
  return blocks;
}

NamedTensors original(const NamedTensors& tensors, const std::string& prefix) {
  LevelLayout layout{4, 2, {}};
  layout.picture_blocks = picture_blocks(tensors);
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    const auto as = original_controlnet_name(name, layout);
    REQUIRE(as);
    renamed.emplace_back(prefix + *as, tensor);
  }
  return renamed;
}

std::shared_ptr<const LoadedModel> small_model() {
  const ModelFiles files = find_model_files(small_model_dir());
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const ModelOperations operations{fp32, fp32, fp32};
  return std::make_shared<const LoadedModel>(
      LoadedModel{describe(files, "small"),
                  files,
                  operations,
                  std::make_unique<const StableDiffusion>(files, operations),
                  {}});
}

JobRequest controlled(const std::string& net) {
  JobRequest request = small_request();
  Picture picture{64, 64, 3, {}};
  picture.samples.assign(64 * 64 * 3, 0);
  for (std::size_t i = 0; i < picture.samples.size(); ++i) picture.samples[i] = (i / 24) % 2 == 0 ? 255 : 0;
  ControlInput control;
  control.path = net;
  control.image.source = encode(picture, OutputFormat::png);
  request.controls = {control};
  return request;
}

}  // namespace

TEST_CASE("controlnet files: a single file under either naming gives the picture of the folder") {
  const LoraFolder folder;
  std::filesystem::copy(kNet, folder.path() / "folder");
  folder.write("diffusers.safetensors", net_tensors());
  folder.write("original.safetensors", original(net_tensors(), "control_model."));
  folder.write("bare.safetensors", original(net_tensors(), ""));
  folder.write("lora.safetensors", small_lora(1));
  Options options = small_options();
  options.folders.controlnets = folder.path();
  Pipeline pipeline(options);
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const Picture expected = FinishedJob(pipeline, controlled("folder")).picture();
  CHECK_FALSE(same(FinishedJob(pipeline, small_request()).picture(), expected));
  for (const char* name : {"diffusers", "original.safetensors", "bare"}) {
    INFO(name);
    CHECK(same(FinishedJob(pipeline, controlled(name)).picture(), expected));
  }
  for (const char* name : {"missing", "lora"}) {
    const Error error = FinishedJob(pipeline, controlled(name)).error();
    REQUIRE_FALSE(error.fields.empty());
    CHECK(error.fields[0].path == "/controls/0/path");
  }
}

TEST_CASE(
    "controlnet files: what there is no room for is refused with both numbers, and the longest unused goes") {
  const auto model = small_model();
  const auto bytes =
      static_cast<std::int64_t>(std::filesystem::file_size(kNet / "diffusion_pytorch_model.safetensors"));
  const LoraFolder folder;
  for (const char* name : {"one", "two", "three"}) {
    NamedTensors tensors = net_tensors();
    tensors[0].second = noise(static_cast<std::uint64_t>(name[1]), tensors[0].second.sizes());
    folder.write(std::string(name) + ".safetensors", tensors);
  }
  folder.write("same as one.safetensors", [] {
    NamedTensors tensors = net_tensors();
    tensors[0].second = noise('n', tensors[0].second.sizes());
    return tensors;
  }());
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const auto hashes = std::make_shared<ContentHashes>();
  ControlNets tight(folder.path(), bytes / 2, fp32, hashes);
  const auto refused = tight.get(controlled("one"), *model);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::out_of_memory);
  CHECK_THAT(refused.error().message, Catch::Contains("budget for ControlNets is 0 MiB"));

  ControlNets nets(folder.path(), 5 * bytes / 2, fp32, hashes);
  const auto get = [&](const std::string& name) { return nets.get(controlled(name), *model).value().at(0); };
  const auto one = get("one");
  CHECK(get("same as one") == one);
  const auto two = get("two");
  CHECK(get("one") == one);
  static_cast<void>(get("three"));
  CHECK(nets.bytes() <= 5 * bytes / 2);
  CHECK(get("one") == one);
  CHECK_FALSE(get("two") == two);
}
