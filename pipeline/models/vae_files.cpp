// Finding the parts of a VAE; the shape of one in a single file is read off its tensors.
#include "pipeline/models/vae_files.h"

#include "pipeline/models/vae_config.h"
#include "pipeline/weights/single_file.h"
#include "pipeline/weights/weight_files.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLevels = 16, kMostLayers = 16;

/// Where things stand in a file, in one of the two namings.
struct Naming {
  CheckpointPart part;
  std::string prefix;
  bool original;

  [[nodiscard]] std::string convolution(int level, int layer) const {
    const std::string l = std::to_string(level), j = std::to_string(layer);
    return prefix + "encoder." +
           (original ? "down." + l + ".block." + j : "down_blocks." + l + ".resnets." + j) + ".conv2.weight";
  }
};

Naming naming_of(const SafetensorsFile& file) {
  for (const char* prefix : {"first_stage_model.", ""}) {
    const std::string at = prefix;
    if (file.contains(at + "encoder.down.0.block.0.conv2.weight")) return {CheckpointPart::vae, at, true};
    if (file.contains(at + "encoder.down_blocks.0.resnets.0.conv2.weight"))
      return {CheckpointPart::as_named, at, false};
  }
  throw LoadError(file.path().filename().string() +
                  ": holds no VAE (no encoder.down.0 and no encoder.down_blocks.0)");
}

Config config_of(const SafetensorsFile& file, const Naming& naming, const Config& model) {
  const std::string name = file.path().filename().string();
  const auto& entries = file.entries();
  nlohmann::json json = model.json();
  json["block_out_channels"] = nlohmann::json::array();
  json["down_block_types"] = nlohmann::json::array();
  json["up_block_types"] = nlohmann::json::array();
  for (int level = 0; level < kMostLevels; ++level) {
    const auto convolution = entries.find(naming.convolution(level, 0));
    if (convolution == entries.end()) break;
    if (convolution->second.shape.size() != 4)
      throw LoadError(name + ": tensor '" + convolution->first + "' is no convolution");
    json["block_out_channels"].push_back(convolution->second.shape[0]);
    json["down_block_types"].push_back("DownEncoderBlock2D");
    json["up_block_types"].push_back("UpDecoderBlock2D");
  }
  int layers = 1;
  while (layers < kMostLayers && file.contains(naming.convolution(0, layers))) ++layers;
  json["layers_per_block"] = layers;
  const auto latents = entries.find(naming.prefix + "decoder.conv_in.weight");
  if (latents == entries.end() || latents->second.shape.size() != 4)
    throw LoadError(name + ": tensor 'decoder.conv_in.weight' is missing");
  json["latent_channels"] = latents->second.shape[1];
  return {std::move(json), name};
}

}  // namespace

std::vector<fs::path> files_of_vae(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  auto files = weight_files(path, "diffusion_pytorch_model");
  files.push_back(path / "config.json");
  return files;
}

PartFiles find_vae_files(const fs::path& path, const Config& model) {
  if (fs::is_directory(path)) return find_part_files(path, "diffusion_pytorch_model");
  const auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  const Naming naming = naming_of(*file);
  Config config = config_of(*file, naming, model);
  const VaeConfig vae = VaeConfig::from(config);
  const LevelLayout layout{static_cast<int>(vae.widths.size()), static_cast<int>(vae.layers_per_block), {}};
  const auto bytes = static_cast<std::int64_t>(file->bytes());
  return {
      std::move(config), opening(path, naming.part, naming.prefix, layout), bytes, {{path}, naming.prefix}};
}

}  // namespace waggle::pipeline
