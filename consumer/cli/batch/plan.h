// From entries to jobs: defaults, grid, choices and seeds are settled here, every field is checked and every
// picture gets its name, before anything is rendered. Draws from a generator that is handed in; knows no
// queue.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "consumer/cli/batch/entry.h"
#include "consumer/cli/batch/input_pictures.h"
#include "consumer/cli/batch/name_template.h"
#include "schemas/operation.h"

namespace waggle::cli::batch {

struct PlannedJob {
  std::size_t index = 0;  ///< in the order of the file
  int line = 0;           ///< of its entry
  JobRequest request;     ///< with its seed; pictures as references
  PictureSources pictures;
  std::vector<std::string> files;  ///< one for each image, relative to the folder of the run
};

enum class Wildcards { all, random, off };

struct Recipe {
  codec::Object defaults;              ///< fields of every job that does not name them itself
  std::vector<codec::Object> grid{1};  ///< combinations(): every entry once with each
  Wildcards wildcards = Wildcards::all;
  std::size_t most_jobs = 1'000'000;
};

struct Plan {
  std::vector<PlannedJob> jobs;
  std::vector<Remark> errors;
};

/// Random 64-bit numbers.
using Draw = std::function<std::uint64_t()>;

/// All jobs, or everything that is wrong with the fields of all of them. An entry without a seed gets one,
/// the same for all combinations of the grid, so that they can be compared. Leaves `files` empty.
Plan make_plan(const std::vector<Entry>& entries, const Recipe& recipe, InputPictures& pictures,
               const Draw& draw);

/// Gives every image of the plan its file. Errors: invalid_request, when the template names a field that no
/// job has.
Status name_files(std::vector<PlannedJob>& jobs, const NameTemplate& name, UniqueNames& names);

}  // namespace waggle::cli::batch
