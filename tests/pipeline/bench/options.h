// What a run of waggle-bench was asked for.
#pragma once

#include <filesystem>
#include <string>

namespace waggle::bench {

struct Options {
  std::string part, model = "sd15", precision = "bf16";
  int width = 512, height = 512;  ///< pixels
  int batch = 2;                  ///< rows of one UNet call; 2 is one picture with guidance
  int steps = 20;                 ///< e2e, trade
  int runs = 3, threads = 0;      ///< 0: what the container's quota allows
  double tolerance = 0.02;        ///< relative error beside fp32
  // trade:
  double guidance = 0;  ///< 0: the model's own
  std::string sampler, prompt = "a small purple star on the left, orange background";
  bool check = true;
  bool cold = false;                   ///< load: the file's pages are dropped from the page cache first
  std::filesystem::path weight_cache;  ///< load; empty: none
  std::filesystem::path
      model_path;  ///< e2e, load, trade; empty: random weights of `model` in a temporary folder
};

}  // namespace waggle::bench
