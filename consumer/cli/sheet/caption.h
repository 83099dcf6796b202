// What a picture says of itself, as the words under it. Reads the texts that image programs embed; knows
// nothing of drawing.
#pragma once

#include <string>

#include "pipeline/image/picture.h"

namespace waggle::cli {

/// The prompt in a picture's text fields: its "parameters" in AUTOMATIC1111's form, which this program writes
/// too. One line, since that is how prompts are read; empty when there is none.
std::string caption_of(const pipeline::TextFields& text);

}  // namespace waggle::cli
