// Finding the sets below a directory.
#include <algorithm>
#include <vector>

#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

/// One row per kind of set: the file that marks it and what runs it.
struct Kind {
  const char* marker;
  void (*run)(const std::filesystem::path& dir, Report& report);
};
constexpr Kind kKinds[] = {
    {"golden.json", run_model_cases},
    {"scheduler_golden.json", run_scheduler_cases},
    {"tokens_clip.json", run_token_cases},
    {"lora_golden.json", run_lora_cases},
    {"controlnet_golden.json", run_controlnet_cases},
    {"single-file.json", run_single_file_cases},
};

}  // namespace

void run_all(const std::filesystem::path& dir, Report& report) {
  std::vector<std::filesystem::path> dirs{dir};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
    if (entry.is_directory()) dirs.push_back(entry.path());
  std::ranges::sort(dirs);
  for (const auto& place : dirs)
    for (const Kind& kind : kKinds)
      if (std::filesystem::exists(place / kind.marker)) kind.run(place, report);
}

}  // namespace waggle::golden
