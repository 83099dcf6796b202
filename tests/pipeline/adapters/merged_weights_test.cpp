// LoRAs added to the tensors of a model as it takes them.
#include "pipeline/adapters/merged_weights.h"

#include <map>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

/// Weights in memory, which remember nothing.
class MemoryWeights final : public WeightSource {
 public:
  explicit MemoryWeights(std::map<std::string, at::Tensor> tensors) : tensors_(std::move(tensors)) {}
  at::Tensor take(const std::string& name, at::IntArrayRef) override { return tensors_.at(name); }
  [[nodiscard]] bool contains(const std::string& name) const override { return tensors_.contains(name); }

 private:
  std::map<std::string, at::Tensor> tensors_;
};

const std::string kLayer = "down_blocks.1.attentions.0.proj_in";
const std::string kKohya = "lora_unet_down_blocks_1_attentions_0_proj_in";
const std::string kOriginal = "lora_unet_input_blocks_4_1_proj_in";  // with two layers per block

NamedTensors lora_of(const std::string& layer, std::uint64_t seed) {
  return {{layer + ".lora_down.weight", noise(seed, {4, 6})},
          {layer + ".lora_up.weight", noise(seed + 1, {5, 4})}};
}

at::Tensor taken(const at::Tensor& base, const std::shared_ptr<LoraStack>& stack,
                 AdapterPart part = AdapterPart::unet, const std::string& layer = kLayer) {
  auto memory = std::make_unique<MemoryWeights>(std::map<std::string, at::Tensor>{{layer + ".weight", base}});
  MergedWeights weights(std::move(memory), part, {3, 2, {true, true, false}}, stack);
  return weights.take(layer + ".weight", base.sizes());
}

std::shared_ptr<LoraStack> stack_of(std::vector<StackedLora> loras) {
  return std::make_shared<LoraStack>(std::move(loras));
}

}  // namespace

TEST_CASE("merged weights: several LoRAs add up, each with its strength, in any order") {
  const LoraFolder folder;
  const auto a = std::make_shared<const LoraFile>(folder.write("a.safetensors", lora_of(kKohya, 1)));
  const auto b = std::make_shared<const LoraFile>(folder.write("b.safetensors", lora_of(kKohya, 5)));
  const at::Tensor base = noise(9, {5, 6}), before = base.clone();
  const at::Tensor ab = taken(base, stack_of({{a, 0.5}, {b, -1.25}})),
                   ba = taken(base, stack_of({{b, -1.25}, {a, 0.5}}));
  const at::Tensor expected = base + at::mm(noise(2, {5, 4}), noise(1, {4, 6})) * 0.5 -
                              at::mm(noise(6, {5, 4}), noise(5, {4, 6})) * 1.25;
  CHECK(at::allclose(ab, expected, 0, 1e-7));
  CHECK(at::allclose(ab, ba, 0, 1e-7));
  CHECK_FALSE(at::allclose(ab, base, 0, 1e-3));
  CHECK(at::equal(base, before));  // it is a read-only file
}

TEST_CASE("merged weights: at strength 0 and without a matching layer the stored tensor itself comes out") {
  const LoraFolder folder;
  const auto here = std::make_shared<const LoraFile>(folder.write("here.safetensors", lora_of(kKohya, 1)));
  const auto elsewhere = std::make_shared<const LoraFile>(
      folder.write("elsewhere.safetensors", lora_of("lora_unet_conv_in", 1)));
  const at::Tensor base = noise(9, {5, 6});
  CHECK(taken(base, stack_of({{here, 0.0}})).is_same(base));
  CHECK(taken(base, stack_of({{elsewhere, 1.0}})).is_same(base));
  CHECK(taken(base, stack_of({})).is_same(base));
}

TEST_CASE("merged weights: layers of the UNet may be spelled as the original checkpoints do") {
  const LoraFolder folder;
  const at::Tensor base = noise(9, {5, 6});
  const auto kohya = std::make_shared<const LoraFile>(folder.write("k.safetensors", lora_of(kKohya, 1)));
  const auto original =
      std::make_shared<const LoraFile>(folder.write("o.safetensors", lora_of(kOriginal, 1)));
  CHECK(at::equal(taken(base, stack_of({{kohya, 1.0}})), taken(base, stack_of({{original, 1.0}}))));
  CHECK_FALSE(at::equal(taken(base, stack_of({{original, 1.0}})), base));
}

TEST_CASE("merged weights: the parts of a model do not take each other's layers") {
  const LoraFolder folder;
  const std::string layer = "text_model.encoder.layers.0.mlp.fc1";
  const auto file = std::make_shared<const LoraFile>(
      folder.write("te2.safetensors", lora_of("lora_te2_text_model_encoder_layers_0_mlp_fc1", 1)));
  const at::Tensor base = noise(9, {5, 6});
  CHECK(taken(base, stack_of({{file, 1.0}}), AdapterPart::text_encoder, layer).is_same(base));
  CHECK(taken(base, stack_of({{file, 1.0}}), AdapterPart::unet, layer).is_same(base));
  CHECK_FALSE(at::equal(taken(base, stack_of({{file, 1.0}}), AdapterPart::text_encoder_2, layer), base));
}

TEST_CASE("merged weights: a half-precision base is added to in fp32") {
  const LoraFolder folder;
  const auto file = std::make_shared<const LoraFile>(folder.write("a.safetensors", lora_of(kKohya, 1)));
  const at::Tensor base = noise(9, {5, 6}).to(at::kHalf);
  const at::Tensor merged = taken(base, stack_of({{file, 1.0}}));
  CHECK(merged.scalar_type() == at::kFloat);
  CHECK(at::allclose(merged, base.to(at::kFloat) + at::mm(noise(2, {5, 4}), noise(1, {4, 6})), 0, 1e-7));
}

TEST_CASE("merged weights: layers that no weight asked for are named, misfits tell which LoRA it was") {
  const LoraFolder folder;
  NamedTensors two = lora_of(kKohya, 1);
  for (auto& tensor : lora_of("lora_te_text_model_elsewhere", 3)) two.push_back(tensor);
  const auto good = std::make_shared<const LoraFile>(folder.write("good.safetensors", two));
  const auto stack = stack_of({{good, 1.0}});
  taken(noise(9, {5, 6}), stack);
  CHECK(stack->unmatched(0) == std::vector<std::string>{"text_encoder/text_model_elsewhere"});

  const auto misfit = stack_of({{good, 1.0},
                                {std::make_shared<const LoraFile>(folder.write(
                                     "wide.safetensors", {{kKohya + ".lora_down.weight", noise(1, {4, 7})},
                                                          {kKohya + ".lora_up.weight", noise(2, {5, 4})}})),
                                 1.0}});
  try {
    taken(noise(9, {5, 6}), misfit);
    FAIL("a misshapen LoRA was merged");
  } catch (const LoraError& error) {
    CHECK(error.place() == 1);
    CHECK(
        std::string(error.what()) ==
        "wide.safetensors: tensor 'lora_unet_down_blocks_1_attentions_0_proj_in.lora_down.weight' has shape "
        "[4, 7], the layer needs [4, 6]");
  }
}
