// One model, a folder or a single checkpoint: load it as the product does, then its parts and its runs.
#include "pipeline/models/model_files.h"
#include "tests/golden/cases.h"

namespace waggle::golden {

namespace {

void run_model(const pipeline::ModelFiles& files, const std::filesystem::path& numbers,
               const std::string& name, Report& report) {
  const auto fp32 = pipeline::ops::best_operations(at::kCPU, at::kFloat);
  std::vector<std::string> unused;
  const pipeline::StableDiffusion model(files, {fp32, fp32, fp32}, &unused);
  report.check(name + "/load", unused.empty(),
               std::to_string(unused.size()) + " tensors of the files are not used");
  const GoldenSet set(numbers, "golden");
  run_part_cases(model, set, name, report);
  run_pipeline_cases(model, set, name, report);
}

}  // namespace

void run_model_cases(const std::filesystem::path& dir, Report& report) {
  const std::string name = dir.filename().string();
  try {
    run_model(pipeline::find_model_files(dir), dir, name, report);
  } catch (const std::exception& error) {
    report.fail(name + "/load", error.what());
  }
}

void run_single_file_cases(const std::filesystem::path& dir, Report& report) {
  constexpr std::string_view kSuffix = "_single.safetensors";
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(kSuffix)) continue;
    const std::string twin = file.substr(0, file.size() - kSuffix.size());
    const std::string name = dir.filename().string() + "/" + twin;
    try {
      const auto folder = dir.parent_path() / twin;
      run_model(pipeline::find_checkpoint_files(entry.path(), {{}, folder}), folder, name, report);
    } catch (const std::exception& error) {
      report.fail(name + "/load", error.what());
    }
  }
}

}  // namespace waggle::golden
