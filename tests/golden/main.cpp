// waggle-golden DIR: runs every reference case below a directory through the product's own code.
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include <c10/core/InferenceMode.h>

#include "pipeline/ops/ops.h"
#include "tests/golden/cases.h"

namespace {

constexpr const char* kUsage =
    "usage: waggle-golden DIR [--only GLOB] [--quiet]\n"
    "  DIR          searched for golden.json, scheduler_golden.json, tokens_clip.json, lora_golden.json, "
    "...\n"
    "  --only GLOB  cases and tensors by name, e.g. 'sd15/*', 'sd15/txt2img.step_latents'\n"
    "  --quiet      print failures and skips only\n"
    "WAGGLE_KERNELS=reference, avx2 or avx512 in the environment takes that path instead of the fastest "
    "one;\n"
    "where this machine lacks it, the run ends with 77\n";
constexpr int kSkipped = 77;

}  // namespace

int main(int argc, char** argv) {
  std::string dir, only;
  bool quiet = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quiet") == 0) {
      quiet = true;
    } else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      only = argv[++i];
    } else if (argv[i][0] == '-' || !dir.empty()) {
      std::fputs(kUsage, std::strcmp(argv[i], "--help") == 0 ? stdout : stderr);
      return std::strcmp(argv[i], "--help") == 0 ? 0 : 2;
    } else {
      dir = argv[i];
    }
  }
  if (dir.empty() || !std::filesystem::is_directory(dir)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const c10::InferenceMode no_gradients;
  try {
    (void)waggle::pipeline::ops::best_operations(at::kCPU, at::kFloat);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-golden: %s\n", error.what());
    return kSkipped;
  }
  waggle::golden::Report report(only, quiet);
  try {
    waggle::golden::run_all(std::filesystem::canonical(dir), report);
  } catch (const std::exception& error) {
    report.fail("run", error.what());
  }
  report.summary();
  return report.failed() == 0 ? 0 : 1;
}
