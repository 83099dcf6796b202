// What a picture was made from, read off the picture's own texts: those of this program, of AUTOMATIC1111 and
// of ComfyUI, put into this program's words. Renders nothing, and looks for nothing beside the picture.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/image/picture.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::cli {

struct Recipe {
  std::string program;  ///< who wrote it: "waggle 0.1.0", "AUTOMATIC1111", "ComfyUI"
  /// The job that makes this one picture again: n is 1, the seed is the picture's own, and fields that only
  /// mattered to the queue are unset. Pictures that it started from are references to what cannot be had.
  JobRequest request;
  /// What the texts say that has no field in a job, in their order.
  std::vector<std::pair<std::string, std::string>> other;
};

/// Errors: not_found when no text is one of these; unsupported_media when one is but makes no sense.
Result<Recipe> recipe_of(const pipeline::TextFields& texts);

/// The recipe of a ComfyUI graph ("prompt", not "workflow"): what its first sampler was given. Errors:
/// unsupported_media; not_found when it has no sampler.
Result<Recipe> recipe_of_comfy(std::string_view graph);

}  // namespace waggle::cli
