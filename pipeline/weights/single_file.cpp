// Reading parts of a single-file checkpoint.
#include "pipeline/weights/single_file.h"

namespace waggle::pipeline {

CheckpointKind recognise(const SafetensorsFile& file) {
  return recognise(file.entries(), file.path().filename().string());
}

std::function<std::unique_ptr<WeightSource>()> opening(std::filesystem::path file, CheckpointPart part,
                                                       std::string prefix, LevelLayout layout) {
  return [path = std::move(file), part, prefix = std::move(prefix), layout = std::move(layout)] {
    auto opened = SafetensorsFile::open(path);
    if (!opened) throw LoadError(opened.error().message);
    return std::make_unique<CheckpointWeights>(std::move(*opened), part, prefix, layout);
  };
}

CheckpointWeights::CheckpointWeights(SafetensorsFile file, CheckpointPart part, std::string prefix,
                                     LevelLayout layout)
    : file_(std::move(file)), part_(part), prefix_(std::move(prefix)), layout_(std::move(layout)) {}

std::optional<OriginalName> CheckpointWeights::translate(const std::string& name) const {
  const auto plain = [&](std::optional<std::string> original) -> std::optional<OriginalName> {
    if (!original) return std::nullopt;
    return OriginalName{prefix_ + *original};
  };
  switch (part_) {
    case CheckpointPart::unet:
      return plain(original_unet_name(name, layout_));
    case CheckpointPart::vae:
      return plain(original_vae_name(name, layout_));
    case CheckpointPart::controlnet:
      return plain(original_controlnet_name(name, layout_));
    case CheckpointPart::clip_text:
    case CheckpointPart::as_named:
      return OriginalName{prefix_ + name};
    case CheckpointPart::open_clip_text: {
      auto original = open_clip_name(name);
      if (original) original->name = prefix_ + original->name;
      return original;
    }
  }
  return std::nullopt;
}

bool CheckpointWeights::contains(const std::string& name) const {
  const auto original = translate(name);
  return original && file_.contains(original->name);
}

at::Tensor CheckpointWeights::take(const std::string& name, at::IntArrayRef shape) {
  const std::string where = file_.path().filename().string();
  const auto original = translate(name);
  if (!original || !file_.contains(original->name))
    throw LoadError(where + ": tensor '" + (original ? original->name : name) + "' " + shape_text(shape) +
                    " is missing");
  at::Tensor tensor = file_.tensor(original->name);
  taken_.insert(original->name);
  const auto misshapen = [&] {
    return LoadError(where + ": tensor '" + original->name + "' has shape " + shape_text(tensor.sizes()) +
                     ", the configuration needs " + shape_text(shape));
  };
  switch (original->form) {
    case OriginalName::Form::as_is:
      break;
    case OriginalName::Form::third_of_rows:
      if (tensor.dim() == 0 || tensor.size(0) != 3 * shape[0]) throw misshapen();
      tensor = tensor.narrow(0, original->third * shape[0], shape[0]);
      break;
    case OriginalName::Form::transposed:
      if (tensor.dim() != 2) throw misshapen();
      tensor = tensor.t().contiguous();
      break;
  }
  // The VAE's attention is stored as 1x1 convolutions.
  if (tensor.dim() == 4 && shape.size() == 2 && tensor.size(2) == 1 && tensor.size(3) == 1)
    tensor = tensor.view({tensor.size(0), tensor.size(1)});
  if (tensor.sizes() != shape) throw misshapen();
  return tensor;
}

std::vector<std::string> CheckpointWeights::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : file_.entries())
    if (name.starts_with(prefix_) && !taken_.contains(name)) names.push_back(name);
  return names;
}

}  // namespace waggle::pipeline
