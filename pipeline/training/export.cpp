// Writing the folder.
#include "pipeline/training/export.h"

#include <fstream>
#include <stdexcept>

#include <ATen/ATen.h>

#include "pipeline/training/recipe.h"
#include "pipeline/weights/safetensors_writer.h"

namespace waggle::training {
namespace {

namespace fs = std::filesystem;

void write_json(const fs::path& file, const nlohmann::json& json) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file);
  if (!(out << json.dump(2) << '\n').flush()) throw std::runtime_error("cannot write " + file.string());
}

void write_part(const fs::path& folder, const char* stem, const nlohmann::json& config,
                const Weights& weights) {
  write_json(folder / "config.json", config);
  Weights half;
  for (const auto& [name, tensor] : weights) half[name] = tensor.to(at::kHalf);
  pipeline::write_safetensors(folder / (std::string(stem) + ".safetensors"), half);
}

}  // namespace

void export_model(const TrainedParts& parts, const fs::path& folder) {
  const auto size = static_cast<std::int32_t>(parts.words.tokens.size());
  write_tokenizer(parts.words, folder / "tokenizer");
  write_part(folder / "text_encoder", "model", text_config(size, size - 2, size - 1), parts.text_encoder);
  write_part(folder / "unet", "diffusion_pytorch_model", unet_config(), parts.unet);
  write_part(folder / "vae", "diffusion_pytorch_model", vae_config(parts.scaling_factor), parts.vae);
  write_json(folder / "scheduler/scheduler_config.json", scheduler_config());
  write_json(folder / "model_index.json", model_index());
}

}  // namespace waggle::training
