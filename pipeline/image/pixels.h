// Pictures pixel by pixel: what a model is given is RGB, a mask is one channel of black and white.
#pragma once

#include "pipeline/image/picture.h"

namespace waggle::pipeline {

/// Three channels: grey is repeated, alpha is dropped, not applied, as diffusers does it.
Picture to_rgb(Picture picture);

/// Lays alpha over a plain grey background (0 black, 255 white); grey and RGB stay as they are.
Picture flatten(const Picture& picture, int background);

/// One channel of luma (ITU-R 601, in Pillow's 16-bit fixed point); alpha is dropped.
Picture to_grey(const Picture& picture);

/// White (255) where a grey sample is at least half of white, else black.
Picture black_and_white(Picture grey);

/// Gaussian blur of a grey picture with this standard deviation in pixels, as Pillow approximates it: three
/// box blurs each way, rounded to 8 bits between. For soft edges of masks. Throws std::invalid_argument when
/// it is not grey.
Picture blur(const Picture& grey, double radius);

}  // namespace waggle::pipeline
