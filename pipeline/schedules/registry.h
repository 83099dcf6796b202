// The table of schedules: one row each, with the names that users of diffusers, ComfyUI and AUTOMATIC1111
// type. A schedule chooses noise levels; it does not know which sampler walks them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/schedules/scheduler_config.h"
#include "pipeline/schedules/spacing.h"
#include "pipeline/schedules/training_noise.h"

namespace waggle::pipeline {

/// What a schedule may depend on.
struct ScheduleInput {
  const TrainingNoise& noise;
  int steps = 20;
  /// The range to fill: the whole table for multistep samplers, the extremes of the model's own spacing for
  /// the others.
  double sigma_min = 0.0, sigma_max = 0.0;
  bool sdxl = false;  ///< for levels that were tuned per family of models
};

/// **shape**: the levels that the network is asked at, [steps], descending, without the clean end.
using ScheduleFunction = std::vector<double> (*)(const ScheduleInput&);

struct ScheduleRow {
  std::string_view name;   ///< canonical
  std::string_view label;  ///< as AUTOMATIC1111 shows it
  std::vector<std::string_view> aliases;
  ScheduleFunction levels;  ///< nullptr: the model's own timesteps, spaced as `spacing` or the model says
  std::optional<Spacing> spacing;
  std::string_view source;
};

std::span<const ScheduleRow> schedule_table();

/// By canonical name, label or alias; case, spaces, '-' and '_' do not count, '+' is 'p'. Null when unknown.
const ScheduleRow* find_schedule(std::string_view name);

/// "model, leading, trailing, ...": for messages.
std::string known_schedules();

/// What names are compared by: "DPM++ 2M_Karras" -> "dpmpp2mkarras".
std::string folded_name(std::string_view name);

}  // namespace waggle::pipeline
