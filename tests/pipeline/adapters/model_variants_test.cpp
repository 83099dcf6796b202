// Models with LoRAs as the engine keeps them: names, sharing, giving up.
#include "pipeline/engine/model_variants.h"

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

std::shared_ptr<const LoadedModel> small_model() {
  const ModelFiles files = find_model_files(std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15");
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const ModelOperations operations{fp32, fp32, fp32};
  return std::make_shared<const LoadedModel>(
      LoadedModel{describe(files, "small"), files, operations,
                  std::make_unique<const StableDiffusion>(files, operations), "small", 1000});
}

constexpr std::int64_t kPlenty = std::int64_t{1} << 30;

struct Variants {
  explicit Variants(std::int64_t budget = kPlenty)
      : shelf(budget), all(folder.path(), shelf, [this](const std::string& line) { lines.push_back(line); }) {
    folder.write("ink.safetensors", small_lora(1));
    folder.write("oil.safetensors", small_lora(100));
  }
  std::shared_ptr<const LoadedModel> made(const std::shared_ptr<const LoadedModel>& base,
                                          std::vector<Lora> loras) {
    auto model = all.get(base, loras);
    if (!model) FAIL(to_string(model.error()));
    return *model;
  }
  Error refused(const std::shared_ptr<const LoadedModel>& base, std::vector<Lora> loras) {
    const auto model = all.get(base, loras);
    REQUIRE_FALSE(model);
    REQUIRE(model.error().fields.size() == 1);
    return model.error();
  }

  LoraFolder folder;
  std::vector<std::string> lines;
  ModelShelf shelf;
  ModelVariants all;
};

at::Tensor conditioning(const LoadedModel& model) {
  Prompts prompts;
  prompts.positive = "a cat";
  return model.model->encode(prompts).positive;
}

}  // namespace

TEST_CASE("model variants: a name leads to a file inside the folder or nowhere") {
  Variants variants;
  const auto base = small_model();
  std::filesystem::create_directory(variants.folder.path() / "inner");
  std::filesystem::create_directory(variants.folder.path() / "folder.safetensors");
  variants.folder.write("inner/deep.safetensors", small_lora(1));
  variants.folder.write("model.bin", small_lora(1));
  const std::string inside = variants.folder.path().filename().string();
  for (const std::string& name :
       {std::string("missing"), std::string(), std::string("."), std::string(".."),
        std::string("../") + inside + "/ink", (variants.folder.path() / "ink.safetensors").string(),
        std::string("inner/deep"), std::string("inner\\deep"), std::string("ink.safetensors\0x", 17),
        std::string("folder"), std::string("model.bin"), std::string(300, 'x')}) {
    INFO(name);
    const Error error = variants.refused(base, {{"ink", 1.0}, {name, 1.0}});
    CHECK(error.code == ErrorCode::unknown_adapter);
    CHECK(error.fields.front().path == "/loras/1/path");
    // At strength 0 too: a typing error is one at any strength.
    CHECK(variants.refused(base, {{name, 0.0}}).code == ErrorCode::unknown_adapter);
  }
  ModelShelf shelf(kPlenty);
  ModelVariants without_folder({}, shelf, {});
  CHECK_FALSE(without_folder.get(base, {{"ink", 1.0}}));
}

TEST_CASE("model variants: equal sets share one model, whatever their order and spelling") {
  Variants variants;
  const auto base = small_model();
  const auto first = variants.made(base, {{"ink", 0.5}, {"oil.safetensors", -1.0}});
  CHECK(variants.made(base, {{"oil", -1.0}, {"ink.safetensors", 0.5}}) == first);
  CHECK(variants.made(base, {{"oil", -1.0}, {"ink", 0.5}, {"ink", 0.0}}) == first);
  CHECK(variants.made(base, {{"ink", 0.5}}) != first);
  CHECK(variants.made(base, {{"ink", 0.75}, {"oil", -1.0}}) != first);
  CHECK(variants.made(small_model(), {{"ink", 0.5}, {"oil", -1.0}}) != first);
  CHECK_FALSE(at::equal(conditioning(*first), conditioning(*base)));
}

TEST_CASE("model variants: strength 0 is the base model itself") {
  Variants variants;
  const auto base = small_model();
  CHECK(variants.made(base, {{"ink", 0.0}}) == base);
  CHECK(variants.made(base, {}) == base);
  CHECK(variants.all.kept() == 0);
}

TEST_CASE("model variants: a file that was replaced is another LoRA") {
  Variants variants;
  const auto base = small_model();
  const auto first = variants.made(base, {{"ink", 1.0}});
  auto longer = small_lora(7);
  longer.emplace_back("note", at::zeros({3}));
  variants.folder.write("ink.safetensors", longer);
  const auto second = variants.made(base, {{"ink", 1.0}});
  CHECK(second != first);
  CHECK_FALSE(at::equal(conditioning(*first), conditioning(*second)));
  CHECK(variants.lines.back() == "ink.safetensors: tensor note is not used");
}

TEST_CASE("model variants: the longest unused is given up when the budget is full") {
  const auto base = small_model();
  Variants variants(2 * base->bytes);
  const std::weak_ptr<const LoadedModel> a = variants.made(base, {{"ink", 0.1}}),
                                         b = variants.made(base, {{"ink", 0.2}});
  CHECK(variants.made(base, {{"ink", 0.1}}) == a.lock());
  const auto c = variants.made(base, {{"ink", 0.3}});
  CHECK(variants.all.kept() == 2);
  CHECK(b.expired());
  CHECK_FALSE(a.expired());

  Variants tight(1);  // what was asked for last is kept anyhow
  const auto held = tight.made(base, {{"ink", 0.1}});
  CHECK(tight.made(base, {{"ink", 0.1}}) == held);
  tight.made(base, {{"ink", 0.2}});
  CHECK(tight.all.kept() == 2);  // and so is what a job holds
  tight.made(base, {{"ink", 0.3}});
  CHECK(tight.all.kept() == 2);
  CHECK(at::isfinite(conditioning(*held)).all().item<bool>());
}

TEST_CASE("model variants: nothing outlives its base model") {
  Variants variants;
  auto base = small_model();
  std::weak_ptr<const LoadedModel> variant = variants.made(base, {{"ink", 1.0}});
  variants.all.forget(base);
  CHECK(variant.expired());
  variant = variants.made(base, {{"ink", 1.0}});
  base = small_model();
  variants.made(base, {{"oil", 1.0}});
  CHECK(variant.expired());
}

TEST_CASE("model variants: a LoRA that does not fit is refused with its place and the reason") {
  Variants variants;
  const auto base = small_model();
  const auto reason = [&](const NamedTensors& tensors) {
    variants.folder.write("bad.safetensors", tensors);
    const Error error = variants.refused(base, {{"oil", 1.0}, {"bad", 1.0}});
    CHECK(error.code == ErrorCode::invalid_request);
    CHECK(error.fields.front().path == "/loras/1/path");
    return error.fields.front().message;
  };
  const std::string layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  CHECK(reason({{layer + ".lora_down.weight", noise(1, {4, 320})},
                {layer + ".lora_up.weight", noise(2, {320, 4})}}) ==
        "bad.safetensors: tensor '" + layer +
            ".lora_down.weight' has shape [4, 320], the layer needs [4, 16]");
  CHECK(reason({{layer + ".lora_down.weight", noise(1, {4, 16})}}).find("has no lora_up") !=
        std::string::npos);
  CHECK(reason({{"lora_unet_joint_blocks_0.lora_down.weight", noise(1, {4, 16})},
                {"lora_unet_joint_blocks_0.lora_up.weight", noise(1, {16, 4})}}) ==
        "bad.safetensors: is for another model; this one has no layer unet/joint_blocks_0");
  CHECK(variants.all.kept() == 0);

  auto partly = small_lora(1);
  partly.emplace_back("lora_te2_elsewhere.lora_down.weight", noise(1, {4, 16}));
  partly.emplace_back("lora_te2_elsewhere.lora_up.weight", noise(1, {16, 4}));
  variants.folder.write("partly.safetensors", partly);
  variants.made(base, {{"partly", 1.0}});
  CHECK(variants.lines.back() == "partly.safetensors: the model has no layer text_encoder_2/elsewhere");
}
