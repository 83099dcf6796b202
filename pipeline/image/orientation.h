// Turning a picture the way its EXIF orientation says it was meant to be seen.
#pragma once

#include "pipeline/image/picture.h"

namespace waggle::pipeline {

/// `orientation` 1..8 as EXIF 2.3 numbers them; anything else leaves the picture as it is.
Picture upright(Picture stored, int orientation);

}  // namespace waggle::pipeline
