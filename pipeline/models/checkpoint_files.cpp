// The parts of a single-file checkpoint: weights under the original names, configurations of the family or of
// a folder.
#include <fstream>
#include <iterator>

#include "pipeline/models/checkpoint_hints.h"
#include "pipeline/models/family_configs.h"
#include "pipeline/models/model_files.h"
#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

/// The configurations of a diffusers folder, whose weights are not looked at.
FamilyConfigs folder_configs(const fs::path& dir, std::size_t text_encoders) {
  const Config index = Config::read(dir / "model_index.json");
  std::ifstream scheduler(dir / "scheduler/scheduler_config.json", std::ios::binary);
  FamilyConfigs configs{index.text("_class_name"),
                        Config::read(dir / "unet/config.json"),
                        Config::read(dir / "vae/config.json"),
                        {},
                        {std::istreambuf_iterator<char>(scheduler), {}},
                        index.boolean("force_zeros_for_empty_prompt", false)};
  for (std::size_t i = 0; i < text_encoders; ++i)
    configs.text_encoders.push_back(
        Config::read(dir / (i == 0 ? "text_encoder" : "text_encoder_2") / "config.json"));
  return configs;
}

/// Where the text encoders lie in the file, and in which naming.
struct TextPlace {
  const char* prefix;
  CheckpointPart naming;
};
std::vector<TextPlace> text_places(CheckpointKind::Family family) {
  using Family = CheckpointKind::Family;
  switch (family) {
    case Family::sd1:
      return {{"cond_stage_model.transformer.", CheckpointPart::clip_text}};
    case Family::sd2:
      return {{"cond_stage_model.model.", CheckpointPart::open_clip_text}};
    case Family::sdxl:
      return {{"conditioner.embedders.0.transformer.", CheckpointPart::clip_text},
              {"conditioner.embedders.1.model.", CheckpointPart::open_clip_text}};
    case Family::sdxl_refiner:
      return {{"conditioner.embedders.0.model.", CheckpointPart::open_clip_text}};
  }
  return {};
}

std::int64_t bytes_below(const SafetensorsFile& file, std::string_view prefix) {
  std::int64_t bytes = 0;
  for (const auto& [name, entry] : file.entries())
    if (name.starts_with(prefix)) bytes += static_cast<std::int64_t>(entry.end - entry.begin);
  return bytes;
}

PartFiles part(const SafetensorsFile& file, Config config, CheckpointPart naming, std::string prefix,
               LevelLayout layout) {
  const std::int64_t bytes = bytes_below(file, prefix);
  return {std::move(config),
          opening(file.path(), naming, prefix, std::move(layout)),
          bytes,
          {{file.path()}, prefix}};
}

/// A tokenizer folder is one for all encoders, or a models-like folder with tokenizer/ and tokenizer_2/ in
/// it.
std::vector<ModelFiles::TokenizerFiles> tokenizers(const CheckpointSides& sides,
                                                   const std::vector<TextPlace>& places) {
  std::vector<ModelFiles::TokenizerFiles> found;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const char* name = i == 0 ? "tokenizer" : "tokenizer_2";
    if (!sides.config_dir.empty() && fs::exists(sides.config_dir / name / "vocab.json"))
      found.push_back({sides.config_dir / name, {}});
    else if (places[i].naming == CheckpointPart::clip_text)
      found.push_back({sides.tokenizer_dir, {}});
    else
      found.push_back({sides.tokenizer_dir, 0});  // OpenCLIP pads with id 0
  }
  return found;
}

}  // namespace

ModelFiles find_checkpoint_files(const fs::path& path, const CheckpointSides& given) {
  CheckpointSides sides = given;
  if (sides.tokenizer_dir.empty() && fs::exists(path.parent_path() / "tokenizer/vocab.json"))
    sides.tokenizer_dir = path.parent_path() / "tokenizer";
  auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  const CheckpointKind kind = with_hints(recognise(*file), *file, sides.family);
  const auto places = text_places(kind.family);
  FamilyConfigs configs =
      sides.config_dir.empty() ? family_configs(kind) : folder_configs(sides.config_dir, places.size());
  if (sides.tokenizer_dir.empty() && sides.config_dir.empty())
    throw LoadError(
        path.filename().string() +
        ": a single checkpoint carries no tokenizer; give a folder with vocab.json and merges.txt");

  const UNetConfig unet = UNetConfig::from(configs.unet);
  const VaeConfig vae = VaeConfig::from(configs.vae);
  const LevelLayout unet_layout{static_cast<int>(unet.widths.size()), static_cast<int>(unet.layers_per_block),
                                unet.up_attention};
  const LevelLayout vae_layout{
      static_cast<int>(vae.widths.size()), static_cast<int>(vae.layers_per_block), {}};

  ModelFiles files{path,
                   configs.class_name,
                   {},
                   tokenizers(sides, places),
                   part(*file, configs.unet, CheckpointPart::unet, "model.diffusion_model.", unet_layout),
                   part(*file, configs.vae, CheckpointPart::vae, "first_stage_model.", vae_layout),
                   configs.scheduler_json,
                   configs.force_zeros_for_empty_prompt};
  for (std::size_t i = 0; i < places.size(); ++i)
    files.text_encoders.push_back(
        part(*file, configs.text_encoders[i], places[i].naming, places[i].prefix, {}));
  return files;
}

}  // namespace waggle::pipeline
