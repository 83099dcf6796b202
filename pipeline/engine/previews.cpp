// Choosing how a preview is made.
#include "pipeline/engine/previews.h"

#include <algorithm>

namespace waggle::pipeline {

Previews::Previews(std::filesystem::path taesd_dir, std::shared_ptr<const ops::Operations> operations,
                   std::function<void(const std::string&)> log)
    : taesd_dir_(std::move(taesd_dir)), operations_(std::move(operations)), log_(std::move(log)) {}

Picture Previews::render(const LoadedModel& model, const at::Tensor& latents) {
  const StableDiffusion& diffusion = *model.model;
  const TaesdDecoder* decoder = decoder_for(diffusion);
  if (decoder != nullptr && decoder->latent_channels() == latents.size(1))
    return to_picture(decoder->forward(latents));
  return map_for(diffusion).render(latents);
}

const TaesdDecoder* Previews::decoder_for(const StableDiffusion& model) {
  if (taesd_dir_.empty()) return nullptr;
  Decoder& known = model.is_sdxl() ? sdxl_ : sd_;
  if (known.looked_for) return known.decoder.get();
  known.looked_for = true;
  try {
    if (const auto file = find_taesd(taesd_dir_, model.is_sdxl() ? "taesdxl" : "taesd"))
      known.decoder = std::make_unique<const TaesdDecoder>(*file, operations_);
  } catch (const LoadError& error) {
    if (log_) log_(error.what());
  }
  return known.decoder.get();
}

const LatentPreview& Previews::map_for(const StableDiffusion& model) {
  std::erase_if(maps_, [](const Map& map) { return map.vae.expired(); });
  const auto found =
      std::ranges::find_if(maps_, [&](const Map& map) { return map.vae.lock() == model.vae(); });
  if (found != maps_.end()) return found->preview;
  maps_.push_front({model.vae(), LatentPreview(model)});
  return maps_.front().preview;
}

}  // namespace waggle::pipeline
