// Finding ControlNets; the picture embedding of one in a single file is read off its tensors.
#include "pipeline/models/controlnet_files.h"

#include "pipeline/models/unet_config.h"
#include "pipeline/weights/single_file.h"
#include "pipeline/weights/weight_files.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int kMostWidths = 16;

struct Naming {
  CheckpointPart part;
  std::string prefix;

  /// The convolutions of the picture embedding that set its widths.
  [[nodiscard]] std::string widening(int i) const {
    if (part == CheckpointPart::controlnet)
      return prefix + "input_hint_block." + std::to_string(4 * i) + ".weight";
    return i == 0 ? "controlnet_cond_embedding.conv_in.weight"
                  : "controlnet_cond_embedding.blocks." + std::to_string(2 * i - 1) + ".weight";
  }
};

Naming naming_of(const SafetensorsFile& file) {
  for (const char* prefix : {"control_model.", ""})
    if (file.contains(std::string(prefix) + "input_hint_block.0.weight"))
      return {CheckpointPart::controlnet, prefix};
  if (file.contains("controlnet_cond_embedding.conv_in.weight")) return {CheckpointPart::as_named, ""};
  throw LoadError(file.path().filename().string() +
                  ": holds no ControlNet (neither input_hint_block.0 nor controlnet_cond_embedding.conv_in)");
}

Config config_of(const SafetensorsFile& file, const Naming& naming, const Config& unet) {
  nlohmann::json json = unet.json();
  json["in_channels"] = json.value("out_channels", 4);  // it never sees the channels of inpainting
  auto& widths = json["conditioning_embedding_out_channels"] = nlohmann::json::array();
  for (int i = 0; i < kMostWidths; ++i) {
    const auto entry = file.entries().find(naming.widening(i));
    if (entry == file.entries().end()) break;
    if (entry->second.shape.empty())
      throw LoadError(file.path().filename().string() + ": tensor '" + entry->first + "' is no convolution");
    widths.push_back(entry->second.shape[0]);
  }
  return {std::move(json), file.path().filename().string()};
}

}  // namespace

std::vector<fs::path> files_of_controlnet(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  auto files = weight_files(path, "diffusion_pytorch_model");
  files.push_back(path / "config.json");
  return files;
}

PartFiles find_controlnet_files(const fs::path& path, const Config* unet) {
  if (fs::is_directory(path)) return find_part_files(path, "diffusion_pytorch_model");
  if (unet == nullptr) throw LoadError(path.filename().string() + ": a single file does not say its heads");
  const auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  const Naming naming = naming_of(*file);
  Config config = config_of(*file, naming, *unet);
  const UNetConfig shape = UNetConfig::down_path_from(config);
  LevelLayout layout{static_cast<int>(shape.widths.size()), static_cast<int>(shape.layers_per_block), {}};
  layout.picture_blocks =
      2 * (static_cast<int>(config.integers("conditioning_embedding_out_channels").size()) - 1);
  const auto bytes = static_cast<std::int64_t>(file->bytes());
  return {std::move(config), opening(path, naming.part, naming.prefix, layout), bytes};
}

}  // namespace waggle::pipeline
