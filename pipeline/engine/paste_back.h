// The extras of an inpainting job around the model: soft edges, rendering only what is around the mask, and
// putting it back. The defaults do nothing, as diffusers does.
#pragma once

#include <optional>

#include "pipeline/engine/source_pictures.h"
#include "pipeline/image/paste.h"

namespace waggle::pipeline {

/// What becomes of the model's picture.
struct PasteBack {
  Picture original;  ///< RGB
  Picture mask;      ///< grey, of the same size
  Area area;         ///< where the model's picture lies in it
};

/// Readies `pictures` for a render of width x height pixels; what comes back is to be applied to the result.
/// Nothing: the render is the result.
std::optional<PasteBack> prepare_inpainting(const ImageInpaint& inpaint, RequestPictures& pictures, int width,
                                            int height);

}  // namespace waggle::pipeline
