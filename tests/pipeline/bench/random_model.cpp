// Weights drawn at random, under the names and shapes that the networks ask for.
#include "tests/pipeline/bench/random_model.h"

#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "pipeline/models/clip_text.h"
#include "pipeline/models/family_configs.h"
#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"
#include "pipeline/weights/random_weights.h"

namespace waggle::bench {
namespace {

namespace fs = std::filesystem;
using namespace pipeline;

/// Random weights that are kept in fp16 as they are asked for.
class Recorder final : public WeightSource {
 public:
  at::Tensor take(const std::string& name, at::IntArrayRef shape) override {
    at::Tensor value = weights_.take(name, shape);
    kept_[name] = value.to(at::kHalf).contiguous();
    return value;
  }
  [[nodiscard]] bool contains(const std::string& name) const override { return weights_.contains(name); }

  void write(const fs::path& file) const {
    nlohmann::ordered_json header;
    std::size_t at = 0;
    for (const auto& [name, tensor] : kept_) {
      header[name] = {
          {"dtype", "F16"}, {"shape", tensor.sizes().vec()}, {"data_offsets", {at, at + tensor.nbytes()}}};
      at += tensor.nbytes();
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    char bytes[8];
    std::memcpy(bytes, &length, 8);
    std::ofstream out(file, std::ios::binary);
    out.write(bytes, 8).write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const auto& [name, tensor] : kept_)
      out.write(static_cast<const char*>(tensor.data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  }

 private:
  RandomWeights weights_;
  std::map<std::string, at::Tensor> kept_;
};

void write_json(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  if (!(std::ofstream(file) << text)) throw std::runtime_error("cannot write " + file.string());
}

/// Builds a part over recorded weights and writes what it asked for, with its configuration.
template <class Build>
void write_part(const fs::path& dir, const char* stem, const Config& config, const Build& build) {
  write_json(dir / "config.json", config.json().dump(2));
  Recorder weights;
  const auto operations = ops::reference_operations(at::kCPU, at::kFloat);
  build(Builder(weights, *operations));
  weights.write(dir / (std::string(stem) + ".safetensors"));
}

}  // namespace

pipeline::CheckpointKind kind_of(std::string_view model) {
  using Family = CheckpointKind::Family;
  if (model == "sd15") return {Family::sd1, 4};
  if (model == "sd21") return {Family::sd2, 4};
  return {Family::sdxl, 4};
}

void write_model(const fs::path& dir, const CheckpointKind& kind, const fs::path& tokenizer) {
  const FamilyConfigs configs = family_configs(kind);
  nlohmann::json index{{"_class_name", configs.class_name}};
  for (std::size_t i = 0; i < configs.text_encoders.size(); ++i) {
    const std::string suffix = i == 0 ? "" : "_2";
    const Config& config = configs.text_encoders[i];
    index["text_encoder" + suffix] = {"transformers", "CLIPTextModel"};
    write_part(dir / ("text_encoder" + suffix), "model", config,
               [&](const Builder& build) { ClipText(build, ClipTextConfig::from(config)); });
    fs::copy(tokenizer, dir / ("tokenizer" + suffix), fs::copy_options::recursive);
  }
  write_json(dir / "model_index.json", index.dump(2));
  write_json(dir / "scheduler/scheduler_config.json", configs.scheduler_json);
  write_part(dir / "unet", "diffusion_pytorch_model", configs.unet,
             [&](const Builder& build) { UNet(build, UNetConfig::from(configs.unet)); });
  write_part(dir / "vae", "diffusion_pytorch_model", configs.vae, [&](const Builder& build) {
    const VaeConfig config = VaeConfig::from(configs.vae);
    VaeDecoder(build, config);
    VaeEncoder(build, config);
  });
}

}  // namespace waggle::bench
