// Lanczos resizing, bit for bit as Pillow does it on 8-bit pictures, which is what diffusers feeds to its
// models.
#pragma once

#include "pipeline/image/picture.h"

namespace waggle::pipeline {

/// The picture at another size. Grey or RGB: alpha wants to be dropped or applied first, or it would bleed.
/// Rows are resized first and rounded to 8 bits, then columns. Throws std::invalid_argument on alpha and on
/// sizes below 1.
Picture resize(const Picture& picture, int width, int height);

}  // namespace waggle::pipeline
