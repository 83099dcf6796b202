// Steps, checkpoints and the curve of one stage.
#include "pipeline/training/learning_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <stdexcept>

#include <ATen/ATen.h>

#include "pipeline/training/loss_curve.h"
#include "pipeline/weights/safetensors_writer.h"

namespace waggle::training {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kRowEvery = 20;  // steps

void print(const LoopSettings& settings, const Progress& progress, const CurveRow& row) {
  std::printf("%s  step %lld  %.1f min  %3.0f %%  loss %.5f  rate %.2e  gradient %.3f  %.2f steps/s\n",
              settings.stage.c_str(), static_cast<long long>(progress.step), progress.seconds / 60,
              100 * share_spent(settings, progress), row.loss, row.rate, row.gradient,
              static_cast<double>(progress.step) / std::max(progress.seconds, 1e-9));
  std::fflush(stdout);
}

}  // namespace

double share_spent(const LoopSettings& settings, const Progress& progress) {
  double share = 0;
  if (settings.steps > 0) share = static_cast<double>(progress.step) / static_cast<double>(settings.steps);
  if (settings.minutes > 0) share = std::max(share, progress.seconds / (60 * settings.minutes));
  return std::min(share, 1.0);
}

double rate_at(const LoopSettings& settings, const Progress& progress) {
  const double warm = std::min(1.0, static_cast<double>(progress.step + 1) /
                                        static_cast<double>(std::max<std::int64_t>(settings.warm_up, 1)));
  return settings.rate * warm * 0.5 * (1 + std::cos(std::numbers::pi * share_spent(settings, progress)));
}

fs::path checkpoint_file(const fs::path& folder, const std::string& stage) {
  return folder / (stage + ".safetensors");
}

void write_checkpoint(const fs::path& file, const Optimizer& optimizer, const Progress& progress) {
  auto tensors = optimizer.state();
  tensors["seconds"] = at::full({1}, progress.seconds, at::kFloat);
  tensors["finished"] = at::full({1}, progress.finished ? 1 : 0, at::kLong);
  pipeline::write_safetensors(file, tensors);
}

Progress read_progress(const fs::path& folder, const std::string& stage) {
  const fs::path file = checkpoint_file(folder, stage);
  if (!fs::exists(file)) return {};
  pipeline::FileWeights source({file});
  return {source.take("steps", {1}).item<std::int64_t>(), source.take("seconds", {1}).item<float>(),
          source.take("finished", {1}).item<std::int64_t>() != 0};
}

Progress learn(const LoopSettings& settings, Optimizer& optimizer,
               const std::function<StepResult(std::int64_t, double)>& step,
               const std::function<void(const Progress&)>& visit, const std::atomic<bool>& stop) {
  if (settings.steps <= 0 && settings.minutes <= 0)
    throw std::invalid_argument("a stage needs a limit of steps or minutes");
  fs::create_directories(settings.folder);
  Progress progress = read_progress(settings.folder, settings.stage);
  const fs::path file = checkpoint_file(settings.folder, settings.stage);
  if (fs::exists(file)) {
    pipeline::FileWeights source({file});
    optimizer.load(source);
  }
  if (settings.again && progress.finished) progress = {progress.step, 0, false};
  LossCurve curve(settings.folder / "loss.csv", settings.stage, progress.step);

  const Clock::time_point start = Clock::now();
  const double before = progress.seconds;
  double saved_at = before, visited_at = before, loss_sum = 0;
  std::int64_t summed = 0;
  while (!progress.finished && !stop) {
    const double rate = rate_at(settings, progress);
    StepResult result = step(progress.step, share_spent(settings, progress));
    const double gradient = optimizer.step(result.gradients, rate);
    if (!std::isfinite(gradient)) throw std::runtime_error("the loss is no longer a finite number");
    loss_sum += result.loss;
    ++summed;
    ++progress.step;
    progress.seconds = before + std::chrono::duration<double>(Clock::now() - start).count();
    progress.finished = share_spent(settings, progress) >= 1;
    if (progress.step % kRowEvery == 0 || progress.finished) {
      const CurveRow row{progress.step, progress.seconds, loss_sum / static_cast<double>(summed), rate,
                         gradient};
      curve.add(row);
      print(settings, progress, row);
      loss_sum = 0;
      summed = 0;
    }
    if (progress.seconds - saved_at > settings.checkpoint_seconds && !progress.finished) {
      write_checkpoint(file, optimizer, progress);
      saved_at = progress.seconds;
    }
    if (settings.visit_seconds > 0 && progress.seconds - visited_at > settings.visit_seconds) {
      visit(progress);
      visited_at = progress.seconds;
    }
  }
  write_checkpoint(file, optimizer, progress);
  visit(progress);
  return progress;
}

}  // namespace waggle::training
