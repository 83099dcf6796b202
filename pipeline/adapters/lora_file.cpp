// Sorting a file's tensors into layers.
#include "pipeline/adapters/lora_file.h"

#include "pipeline/weights/safetensors.h"
#include "pipeline/weights/weight_source.h"

namespace waggle::pipeline {

LoraFile::LoraFile(const std::filesystem::path& path) : name_(path.filename().string()) {
  const auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  file->will_read();
  try {
    std::map<Place, std::pair<at::Tensor, std::string>> alphas;
    for (const auto& [name, entry] : file->entries()) {
      if (const auto kind = unsupported_adapter(name); !kind.empty())
        throw LoadError("tensor '" + name +
                        "' is of a kind of adapter that is not supported: " + std::string(kind));
      auto known = parse_lora_name(name);
      if (!known)
        unknown_.push_back(printable(name));
      else if (known->factor == Factor::alpha)
        alphas[{known->part, std::move(known->layer)}] = {file->tensor(name), printable(name)};
      else
        layers_[{known->part, std::move(known->layer)}].set(known->factor, file->tensor(name),
                                                            printable(name));
    }
    // An alpha makes no layer: pruned files keep those of layers that are gone.
    for (auto& [place, alpha] : alphas)
      if (const auto layer = layers_.find(place); layer != layers_.end())
        layer->second.set(Factor::alpha, alpha.first, alpha.second);
      else
        unknown_.push_back(alpha.second);
    for (const auto& [place, layer] : layers_) layer.require_whole();
    if (layers_.empty())
      throw LoadError("holds no LoRA" + (unknown_.empty() ? "" : ", but '" + unknown_.front() + "'"));
  } catch (const LoadError& error) {
    throw LoadError(name_ + ": " + error.what());
  }
}

const LoraLayer* LoraFile::find(AdapterPart part, const std::string& layer) const {
  const auto found = layers_.find({part, layer});
  return found == layers_.end() ? nullptr : &found->second;
}

}  // namespace waggle::pipeline
