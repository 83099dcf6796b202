// Adding LoRAs to weights.
#include "pipeline/adapters/merged_weights.h"

#include <array>

#include <ATen/Functions.h>

#include "pipeline/models/unet.h"

namespace waggle::pipeline {

at::Tensor LoraStack::merge(const at::Tensor& weight, AdapterPart part,
                            const std::vector<std::string>& spellings) {
  at::Tensor sum;
  for (std::size_t place = 0; place < loras_.size(); ++place) {
    const auto& [file, strength] = loras_[place];
    for (const std::string& spelling : spellings) {
      const LoraLayer* layer = file->find(part, spelling);
      if (layer == nullptr) continue;
      used_[place].insert(layer);
      if (strength == 0.0) continue;
      try {
        const at::Tensor delta = layer->delta(weight.sizes()).mul_(strength);
        sum = sum.defined() ? sum.add_(delta) : delta;
      } catch (const LoadError& error) {
        throw LoraError(place, file->name() + ": " + error.what());
      }
    }
  }
  // The weight lies in a read-only mapping: it is added to the sum, not the sum to it.
  return sum.defined() ? sum.add_(weight.to(at::kFloat)) : weight;
}

std::vector<std::string> LoraStack::unmatched(std::size_t place) const {
  constexpr const char* kParts[] = {"unet", "text_encoder", "text_encoder_2"};
  std::vector<std::string> names;
  for (const auto& [where, layer] : loras_[place].file->layers())
    if (!used_[place].contains(&layer))
      names.push_back(std::string(kParts[static_cast<int>(where.first)]) + "/" + printable(where.second));
  return names;
}

MergedWeights::MergedWeights(std::unique_ptr<WeightSource> base, AdapterPart part, LevelLayout layout,
                             std::shared_ptr<LoraStack> loras)
    : base_(std::move(base)), part_(part), layout_(std::move(layout)), loras_(std::move(loras)) {}

at::Tensor MergedWeights::take(const std::string& name, at::IntArrayRef shape) {
  at::Tensor weight = base_->take(name, shape);
  constexpr std::string_view kWeight = ".weight";
  if (!name.ends_with(kWeight)) return weight;
  const auto layer = [&](const std::string& tensor) {
    return underscored(std::string_view(tensor).substr(0, tensor.size() - kWeight.size()));
  };
  std::vector<std::string> spellings{layer(name)};
  if (part_ == AdapterPart::unet)
    if (const auto original = original_unet_name(name, layout_)) spellings.push_back(layer(*original));
  return loras_->merge(weight, part_, spellings);
}

ModelFiles with_loras(ModelFiles files, const std::shared_ptr<LoraStack>& loras) {
  const auto wrap = [&](PartFiles& part, AdapterPart which, LevelLayout layout) {
    part.content = {};  // another one with every strength
    part.open = [open = std::move(part.open), which, layout = std::move(layout), loras] {
      return std::make_unique<MergedWeights>(open(), which, layout, loras);
    };
  };
  const UNetConfig unet = UNetConfig::from(files.unet.config);
  wrap(files.unet, AdapterPart::unet,
       {static_cast<int>(unet.widths.size()), static_cast<int>(unet.layers_per_block), unet.up_attention});
  constexpr std::array kEncoders{AdapterPart::text_encoder, AdapterPart::text_encoder_2};
  for (std::size_t i = 0; i < files.text_encoders.size() && i < kEncoders.size(); ++i)
    wrap(files.text_encoders[i], kEncoders[i], {});
  return files;
}

}  // namespace waggle::pipeline
