// A picture and its recipe as text for people and as JSON for scripts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "consumer/cli/inspect/recipe.h"
#include "consumer/cli/terminal.h"
#include "schemas/picture_header.h"

namespace waggle::cli {

struct PictureFacts {
  std::string file;
  std::int64_t bytes = 0;
  PictureHeader header;
  pipeline::TextFields texts;
  Result<Recipe> recipe;  ///< an error: it says nothing that is understood
};

/// Errors: unsupported_media for what is no picture, or a broken one.
Result<PictureFacts> facts_of(std::string file, std::string_view bytes);

/// A line for each field of a job that says what the picture is to be.
std::string request_text(const JobRequest& request, const Terminal& terminal);

/// A line on the file, then a line for each field.
std::string facts_text(const PictureFacts& facts, const Terminal& terminal);
/// Every text under its key, whole.
std::string raw_text(const PictureFacts& facts, bool utf8);
/// {"file", "format", "width", "height", "bytes", "program", "job": as PROTOCOL.md has it, "other", "texts"}
std::string facts_json(const PictureFacts& facts);

}  // namespace waggle::cli
