// Pictures of a job on its way: by a small decoder when the worker has one for the model, else by a linear
// map that is fitted to the model's VAE.
#pragma once

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "pipeline/engine/job.h"
#include "pipeline/engine/latent_preview.h"
#include "pipeline/models/taesd.h"

namespace waggle::pipeline {

/// Used by the engine's thread alone.
class Previews {
 public:
  /// `taesd_dir`: with taesd_decoder.safetensors (SD 1.x and 2.x) and taesdxl_decoder.safetensors; empty:
  /// none. A decoder that cannot be read is told to `log` once and done without.
  Previews(std::filesystem::path taesd_dir, std::shared_ptr<const ops::Operations> operations,
           std::function<void(const std::string&)> log);

  /// **Shape**: latents [1, C, h, w] as the sampler leaves them -> RGB of w x h pixels, or of the picture's
  /// own size where a small decoder makes it.
  Picture render(const LoadedModel& model, const at::Tensor& latents);

 private:
  struct Decoder {
    bool looked_for = false;
    std::unique_ptr<const TaesdDecoder> decoder;
  };
  struct Map {
    std::weak_ptr<const LoadedVae> vae;  // it was fitted to
    LatentPreview preview;
  };
  const TaesdDecoder* decoder_for(const StableDiffusion& model);
  const LatentPreview& map_for(const StableDiffusion& model);

  std::filesystem::path taesd_dir_;
  std::shared_ptr<const ops::Operations> operations_;
  std::function<void(const std::string&)> log_;
  Decoder sd_, sdxl_;
  std::list<Map> maps_;
};

}  // namespace waggle::pipeline
