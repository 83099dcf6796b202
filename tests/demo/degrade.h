// Drawn pictures made as imperfect as a generative model's: softer, noisier, a little off in colour.
#pragma once

#include <random>

#include "pipeline/image/picture.h"

namespace waggle::demo {

struct Flaws {
  double blur = 0;    ///< standard deviation in pixels
  double noise = 0;   ///< half the width of an even distribution, in 8-bit steps
  double shift = 0;   ///< largest error of a whole channel, in 8-bit steps
  double wobble = 0;  ///< how far, in pixels, a smooth random field moves each pixel
};

/// RGB in, RGB out. Draws only from the generator.
pipeline::Picture degraded(const pipeline::Picture& picture, const Flaws& flaws, std::mt19937_64& generator);

}  // namespace waggle::demo
