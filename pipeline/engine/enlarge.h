// From the first pass of a hires job to the start of the second: latents or pixels enlarged, and noised as
// image to image does.
#pragma once

#include "pipeline/engine/bounded_vae.h"
#include "pipeline/engine/image_start.h"
#include "schemas/operation.h"

namespace waggle::pipeline {

/// `latents`: of the finished first pass. `width` and `height`: pixels of the second. By pixels it is what an
/// image_transform of the enlarged picture starts from. **Randomness**: one draw by latents, two by pixels.
ImageStart enlarge(const StableDiffusion& model, const Plan& plan, const at::Tensor& latents,
                   Upscaler upscaler, int width, int height, double strength, NoiseSource& noise,
                   const VaeBounds& bounds);

}  // namespace waggle::pipeline
