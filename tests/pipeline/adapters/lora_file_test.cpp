// LoRA files as trainers, careless tools and enemies write them.
#include "pipeline/adapters/lora_file.h"

#include <fstream>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/weights/weight_source.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

std::string refusal(const std::filesystem::path& path) {
  try {
    const LoraFile file(path);
    return "";
  } catch (const LoadError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("lora file: layers have their factors, other tensors are named") {
  const LoraFolder folder;
  NamedTensors tensors = small_lora(1);
  tensors.emplace_back("lora_unet_conv_out.alpha", at::full({}, 1.0));  // of a layer that was pruned
  tensors.emplace_back("emb_params", at::zeros({2, 3}));
  const LoraFile file(folder.write("ink.safetensors", tensors));
  CHECK(file.name() == "ink.safetensors");
  CHECK(file.layers().size() == 3);
  CHECK(file.unknown() == std::vector<std::string>{"emb_params", "lora_unet_conv_out.alpha"});
  CHECK(file.find(AdapterPart::unet, "mid_block_attentions_0_transformer_blocks_0_attn1_to_v") != nullptr);
  CHECK(file.find(AdapterPart::text_encoder, "text_model_encoder_layers_1_self_attn_v_proj") != nullptr);
  CHECK(file.find(AdapterPart::text_encoder_2, "text_model_encoder_layers_1_self_attn_v_proj") == nullptr);
}

TEST_CASE("lora file: hostile and broken files are refused with the file's and the tensor's name") {
  const LoraFolder folder;
  const at::Tensor down = noise(1, {4, 6}), up = noise(2, {5, 4});
  const auto written = [&](const NamedTensors& tensors) {
    return refusal(folder.write("x.safetensors", tensors));
  };

  CHECK(written({{"lora_unet_conv_in.lora_down.weight", down}}) ==
        "x.safetensors: tensor 'lora_unet_conv_in.lora_down.weight' has no lora_up beside it");
  CHECK(written({{"lora_unet_conv_in.lora_down.weight", down},
                 {"lora_unet_conv_in.lora_up.weight", up},
                 {"lora_unet_conv_in.alpha", at::full({}, std::numeric_limits<float>::quiet_NaN())}}) ==
        "x.safetensors: tensor 'lora_unet_conv_in.alpha' is not a finite number");
  // One layer under two spellings is no sum of both.
  CHECK(written({{"lora_unet_conv_in.lora_down.weight", down},
                 {"lora_unet_conv_in.lora_up.weight", up},
                 {"unet.conv_in.lora_A.weight", down},
                 {"unet.conv_in.lora_B.weight", up}})
            .find("are the same factor") != std::string::npos);
  CHECK(written({{"lora_unet_conv_in.lora_down.weight", down},
                 {"lora_unet_conv_in.lora_up.weight", up},
                 {"lora_unet_conv_in.dora_scale", up}})
            .find("DoRA") != std::string::npos);
  CHECK(written({}) == "x.safetensors: holds no LoRA");
  CHECK(written({{"model.diffusion_model.out.2.bias", up}}) ==
        "x.safetensors: holds no LoRA, but 'model.diffusion_model.out.2.bias'");
  CHECK(written({{"lora_unet_\n" + std::string(5000, 'x') + ".lora_down.weight", down}}).size() < 300);

  CHECK(refusal(folder.path() / "missing.safetensors").find("missing.safetensors") == 0);
  CHECK(refusal(folder.path()).empty() == false);
  std::ofstream(folder.path() / "text.safetensors") << "<html>404 not found, and some more text</html>";
  CHECK(refusal(folder.path() / "text.safetensors").find("text.safetensors") == 0);
}

TEST_CASE("lora file: every truncation of a file is refused") {
  const LoraFolder folder;
  const auto path = folder.write("whole.safetensors", small_lora(1));
  const auto size = std::filesystem::file_size(path);
  const auto cut = folder.path() / "cut.safetensors";
  for (std::uintmax_t bytes = 0; bytes < size; bytes += bytes < 64 ? 1 : 37) {
    std::filesystem::copy_file(path, cut, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(cut, bytes);
    CHECK_FALSE(refusal(cut).empty());
  }
}
