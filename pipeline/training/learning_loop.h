// The loop that every stage of training is: steps until a budget of steps or minutes is spent, a learning
// rate that warms up and comes down to zero just then, checkpoints that survive a kill, and a curve of the
// loss.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "pipeline/training/optimizer.h"

namespace waggle::training {

/// What is spent of a stage. The clock counts only time in which the stage ran.
struct Progress {
  std::int64_t step = 0;
  double seconds = 0;
  bool finished = false;
};

struct LoopSettings {
  std::string stage;             ///< names checkpoint and rows of the curve
  std::filesystem::path folder;  ///< `<stage>.safetensors` and `loss.csv` are kept here
  std::int64_t steps = 0;        ///< 0: no limit
  double minutes = 0;            ///< 0: no limit; one of the two must be set
  double rate = 1e-3;            ///< highest learning rate
  std::int64_t warm_up = 200;    ///< steps
  double checkpoint_seconds = 60;
  bool again = false;        ///< a finished stage gets its budget once more; steps count from its beginning
  double visit_seconds = 0;  ///< 0: `visit` is called at the end alone
};

/// Share of the budget that is spent, 0 .. 1: whichever limit is nearer.
double share_spent(const LoopSettings& settings, const Progress& progress);
/// The learning rate of a step: linear warm-up times half a cosine over the budget.
double rate_at(const LoopSettings& settings, const Progress& progress);

struct StepResult {
  double loss = 0;
  std::vector<at::Tensor> gradients;
};

/// Goes on from the stage's checkpoint if there is one. `step` computes the gradients of step number `n`;
/// with a budget in steps it depends on nothing but `n`, the share spent and the weights, so that a resumed
/// run is the same run. `visit` sees the state of things now and then. Returns early, with a checkpoint
/// written, when `stop` becomes true.
Progress learn(const LoopSettings& settings, Optimizer& optimizer,
               const std::function<StepResult(std::int64_t n, double share)>& step,
               const std::function<void(const Progress&)>& visit, const std::atomic<bool>& stop);

std::filesystem::path checkpoint_file(const std::filesystem::path& folder, const std::string& stage);
/// Replaces the file in one go. Throws std::runtime_error when it cannot.
void write_checkpoint(const std::filesystem::path& file, const Optimizer& optimizer,
                      const Progress& progress);
/// The checkpoint's progress; all zero without one. Throws LoadError when it is broken.
Progress read_progress(const std::filesystem::path& folder, const std::string& stage);

}  // namespace waggle::training
