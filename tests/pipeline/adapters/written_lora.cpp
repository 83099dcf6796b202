// Writing safetensors files.
#include "tests/pipeline/adapters/written_lora.h"

#include <cstring>
#include <fstream>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace waggle::adapters {
namespace {

const char* dtype_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kLong:
      return "I64";
    default:
      throw std::invalid_argument("no test writes this dtype");
  }
}

}  // namespace

LoraFolder::LoraFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "waggle-loras-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

LoraFolder::~LoraFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path LoraFolder::write(const std::string& name, const NamedTensors& tensors) const {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  for (const auto& [tensor_name, tensor] : tensors) {
    const at::Tensor flat = tensor.contiguous();
    const std::size_t begin = data.size();
    data.append(static_cast<const char*>(flat.data_ptr()), flat.nbytes());
    header[tensor_name] = {{"dtype", dtype_name(flat.scalar_type())},
                           {"shape", flat.sizes().vec()},
                           {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  const auto path = path_ / name;
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << text << data;
  return path;
}

at::Tensor noise(std::uint64_t seed, at::IntArrayRef shape) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::TensorOptions()) * 0.1;
}

NamedTensors small_lora(std::uint64_t seed) {
  NamedTensors tensors;
  const auto add = [&](const std::string& layer, std::int64_t width) {
    tensors.emplace_back(layer + ".lora_down.weight", noise(seed++, {2, width}) * 4);
    tensors.emplace_back(layer + ".lora_up.weight", noise(seed++, {width, 2}) * 4);
    tensors.emplace_back(layer + ".alpha", at::full({}, 1.0));
  };
  add("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", 16);
  add("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_v", 24);
  add("lora_te_text_model_encoder_layers_1_self_attn_v_proj", 32);
  return tensors;
}

}  // namespace waggle::adapters
