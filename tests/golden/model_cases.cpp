// One model directory: load it as the product does, then its parts and its runs.
#include "pipeline/models/model_files.h"
#include "tests/golden/cases.h"

namespace waggle::golden {

void run_model_cases(const std::filesystem::path& dir, Report& report) {
  const std::string name = dir.filename().string();
  try {
    const auto fp32 = pipeline::ops::reference_operations(at::kCPU, at::kFloat);
    std::vector<std::string> unused;
    const pipeline::StableDiffusion model(pipeline::find_model_files(dir), {fp32, fp32, fp32}, &unused);
    report.check(name + "/load", unused.empty(),
                 std::to_string(unused.size()) + " tensors of the files are not used");
    const GoldenSet set(dir, "golden");
    run_part_cases(model, set, name, report);
    run_pipeline_cases(model, set, name, report);
  } catch (const std::exception& error) {
    report.fail(name + "/load", error.what());
  }
}

}  // namespace waggle::golden
