// Hints beside, in and around a checkpoint.
#include "pipeline/models/checkpoint_hints.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>

#include <ATen/Functions.h>
#include <nlohmann/json.hpp>

#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;
using Family = CheckpointKind::Family;

constexpr std::size_t kLongestSide = 1 << 20;  // of a JSON or YAML file

std::string read_side(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(in ? kLongestSide : 0, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string family_name(const CheckpointKind& kind) {
  std::string name;
  switch (kind.family) {
    case Family::sd1:
      name = "sd15";
      break;
    case Family::sd2:
      name = "sd21";
      break;
    case Family::sdxl:
      name = "sdxl";
      break;
    case Family::sdxl_refiner:
      return "sdxl-refiner";
  }
  return kind.in_channels == 9 ? name + "-inpaint" : name;
}

/// Whether the tensors leave room for a distilled model.
bool may_be_turbo(const CheckpointKind& kind) {
  return kind.in_channels == 4 && (kind.family == Family::sd2 || kind.family == Family::sdxl);
}

/// Takes a family's name for what it says. False: the tensors say something else.
bool take_family(CheckpointKind& kind, const std::string& family) {
  const bool plain_sd2 = kind.family == Family::sd2 && kind.in_channels == 4;
  if (family == "turbo" && may_be_turbo(kind))
    kind.turbo = true;
  else if ((family == "sd21-base" || family == "sd21-v") && plain_sd2)
    kind.predicts_v = family == "sd21-v";
  else if (family != family_name(kind))
    return false;
  if (!kind.turbo) kind.turbo = false;  // and not by the name of the file
  return true;
}

void take_json(CheckpointKind& kind, const fs::path& checkpoint) {
  const fs::path side = checkpoint.string() + ".json";
  const std::string text = read_side(side);
  if (text.empty()) return;
  const std::string name = side.filename().string();
  const auto json = parse_shallow_json(text);
  if (!json.is_object()) throw LoadError(name + ": is no JSON object");
  if (const auto family = json.find("family"); family != json.end()) {
    if (!family->is_string() || !take_family(kind, family->get<std::string>()))
      throw LoadError(name + ": /family must be " + family_name(kind) +
                      (may_be_turbo(kind) ? " or turbo" : "") + ", which is what the tensors allow");
  }
  if (const auto type = json.find("prediction_type"); type != json.end()) {
    if (*type != "epsilon" && *type != "v_prediction")
      throw LoadError(name + ": /prediction_type must be epsilon or v_prediction");
    kind.predicts_v = *type == "v_prediction";
  }
  if (const auto zero = json.find("zero_terminal_snr"); zero != json.end()) {
    if (!zero->is_boolean()) throw LoadError(name + ": /zero_terminal_snr must be true or false");
    kind.zero_terminal_snr = zero->get<bool>();
  }
}

/// `parameterization: "v"` of the training configuration; one without it trains noise.
std::optional<bool> yaml_predicts_v(fs::path checkpoint) {
  const std::string text = read_side(checkpoint.replace_extension(".yaml"));
  const std::size_t at = text.find("parameterization:");
  if (at == std::string::npos)
    return text.find("linear_start:") == std::string::npos ? std::nullopt : std::optional(false);
  const std::size_t value =
      text.find_first_not_of(" \t\"'", at + std::string_view("parameterization:").size());
  return value != std::string::npos && text[value] == 'v';
}

/// The bias of the last transformer's first norm spreads wide in models that predict velocity.
/// **Source**: the threshold is the one that ComfyUI tells 768-v from 512-base by.
std::optional<bool> weights_predict_v(const SafetensorsFile& file) {
  constexpr double kSpread = 0.09;
  constexpr const char* kBias = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
  if (!file.contains(kBias)) return std::nullopt;
  const at::Tensor bias = file.tensor(kBias).to(at::kFloat);
  return bias.numel() > 0 && at::std(bias, /*unbiased=*/false).item<double>() > kSpread;
}

bool is_called_turbo(const fs::path& checkpoint) {
  std::string name = checkpoint.filename().string();
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.find("turbo") != std::string::npos;
}

}  // namespace

CheckpointKind with_hints(CheckpointKind kind, const SafetensorsFile& file, const std::string& family) {
  take_json(kind, file.path());
  CheckpointKind asked = kind;
  if (!family.empty() && take_family(asked, family)) {
    if (!kind.turbo) kind.turbo = asked.turbo;
    if (!kind.predicts_v) kind.predicts_v = asked.predicts_v;
  }
  if (!kind.predicts_v && file.contains("v_pred")) kind.predicts_v = true;
  if (!kind.zero_terminal_snr) kind.zero_terminal_snr = file.contains("ztsnr");
  if (!kind.turbo) kind.turbo = may_be_turbo(kind) && is_called_turbo(file.path());
  if (*kind.turbo) kind.predicts_v = false;
  if (!kind.predicts_v) kind.predicts_v = yaml_predicts_v(file.path());
  if (!kind.predicts_v && kind.family == Family::sd2)
    kind.predicts_v = kind.in_channels == 4 && weights_predict_v(file).value_or(true);
  if (!kind.predicts_v) kind.predicts_v = false;
  return kind;
}

}  // namespace waggle::pipeline
