// The fields of a job under the names that people write, and their values out of plain text: what a column of
// a table, an axis of a grid or a flag in a line of prompts has in common. Ranges and types are the codec's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schemas/codec/document.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

/// The protocol's name: "guidance", "cfg" and "cfg_scale" are guidance_scale, "negative" is negative_prompt.
/// Any other name stays as it is.
std::string_view canonical_name(std::string_view name) noexcept;

/// Adds a field whose value came as text: numbers, true, false, lists and objects as JSON writes them, "size"
/// as 512x768, "lora" as name:0.8 with blanks or commas between several; names and prompts as they are. A
/// field that is there is replaced. Errors: invalid_request.
Status set_from_text(codec::Object& fields, std::string_view name, std::string_view text);

/// The same for a value that has its type already.
Status set(codec::Object& fields, std::string_view name, codec::Document value);

/// The member's value; a fresh null when it is not there.
codec::Document& field(codec::Object& fields, std::string_view name);
void remove(codec::Object& fields, std::string_view name);

/// Spells the operation out from the pictures that are named: "init" alone is image to image, with "mask"
/// inpainting. `seed` of -1 is no seed.
void complete(codec::Object& fields);

}  // namespace waggle::cli::batch
