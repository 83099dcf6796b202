// Finding the sets below a directory.
#include <algorithm>
#include <vector>

#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

/// One row per kind of set: the file that marks it and what runs it. Kinds without a function are named as
/// skipped.
struct Kind {
  const char* marker;
  void (*run)(const std::filesystem::path& dir, Report& report);
  const char* reason;
};
constexpr Kind kKinds[] = {
    {"golden.json", run_model_cases, nullptr},
    {"scheduler_golden.json", run_scheduler_cases, nullptr},
    {"tokens_clip.json", run_token_cases, nullptr},
    {"lora_golden.json", nullptr, "LoRA is not supported yet"},
    {"controlnet_golden.json", run_controlnet_cases, nullptr},
    {"single-file.json", run_single_file_cases, nullptr},
};

}  // namespace

void run_all(const std::filesystem::path& dir, Report& report) {
  std::vector<std::filesystem::path> dirs{dir};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
    if (entry.is_directory()) dirs.push_back(entry.path());
  std::ranges::sort(dirs);
  for (const auto& place : dirs)
    for (const Kind& kind : kKinds) {
      if (!std::filesystem::exists(place / kind.marker)) continue;
      if (kind.run != nullptr)
        kind.run(place, report);
      else
        report.skip(place.filename().string() + "/*", kind.reason);
    }
}

}  // namespace waggle::golden
