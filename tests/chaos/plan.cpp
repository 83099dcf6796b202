// Drawing the plan. The standard's distributions differ between libraries; these draws do not.
#include "tests/chaos/plan.h"

#include <random>

namespace waggle::chaos {
namespace {

using namespace std::chrono_literals;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. n-1; the bias of the remainder does not matter here.
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
  int between(int least, int most) { return least + below(most - least + 1); }
  bool percent(int chance) { return below(100) < chance; }

 private:
  std::mt19937_64 engine_;
};

constexpr int kPixelValues = 1 << 24;  // what one pixel can tell apart: a picture names its seed

constexpr int kPictures = 5;  // that the real model is asked for, each again and again

constexpr int kJobsPerKill = 60;  // some hundred milliseconds: the pool is whole again before the next one

/// One of a few pictures: whoever makes it, and however often it was begun, it is the same.
void ask_for_a_picture(Dice& dice, JobRequest& request) {
  request.model = kRealModel;
  request.prompt = "a bee on a sunflower";
  request.seed = dice.below(kPictures);
  request.steps = 3;
  request.operation = ImageGeneration{64, 64};
  request.n = 1;
  request.preview_every.reset();
  request.deadline_s.reset();
}

PlannedJob draw_job(Dice& dice, std::uint64_t seed, int number, const Mix& mix) {
  PlannedJob job;
  job.number = number;
  job.request.model = "null";
  const std::string label = std::to_string(seed) + "-" + std::to_string(number);
  job.request.prompt = label;
  job.request.seed = dice.below(kPixelValues - 64);
  job.request.steps = dice.between(1, 12);
  job.request.n = dice.percent(20) ? dice.between(2, 4) : 1;
  job.request.priority = dice.percent(20) ? dice.between(-3, 3) : 0;
  job.request.max_attempts = dice.percent(10) ? 1 : 6;
  job.request.idempotency_key = label;
  if (dice.percent(30)) job.request.tenant = std::string(1, dice.percent(50) ? 'a' : 'b');
  if (dice.percent(20)) job.request.preview_every = 2;
  if (dice.percent(4)) job.request.deadline_s = dice.between(2, 30) / 10.0;
  if (dice.percent(12)) job.cancel_at = number + 1 + dice.below(24);
  job.streamed = dice.percent(35);
  if (job.streamed && dice.percent(50)) job.hang_up_every = dice.between(1, 4);
  // A job that others may overtake says nothing about how soon it could have run.
  if (mix.worker_kills_only) job.request.priority = 0;
  if (dice.percent(mix.model_percent)) ask_for_a_picture(dice, job.request);
  return job;
}

Blow draw_cut(Dice& dice, int at) {
  Blow blow{at, Part::wire, dice.below(kWires), dice.percent(60) ? How::cut : How::hang, {}};
  if (blow.how == How::hang) blow.lasts = std::chrono::milliseconds(dice.between(50, 2500));
  return blow;
}

Blow draw_blow(Dice& dice, int at, const Mix& mix) {
  if (dice.percent(mix.cut_percent)) return draw_cut(dice, at);
  if (mix.model_percent > 0 && dice.percent(4)) {
    return {at, Part::model_worker, dice.below(kModelWorkers), How::kill,
            std::chrono::milliseconds(dice.between(50, 800))};
  }
  Blow blow;
  blow.at = at;
  const int which = dice.below(100);
  const auto lasts = [&](int least_ms, int most_ms) {
    blow.lasts = std::chrono::milliseconds(dice.between(least_ms, most_ms));
  };
  if (which < 50) {
    blow.part = Part::worker;
    blow.index = dice.below(kWorkers);
    const int how = dice.below(10);
    blow.how = how < 5 ? How::kill : how < 8 ? How::freeze : How::drain;
    lasts(50, blow.how == How::freeze ? 4000 : 1500);  // beyond the lease, and not
  } else if (which < 72) {
    blow.part = Part::queen;
    blow.index = dice.below(kQueens);
    blow.how = dice.percent(60) ? How::kill : How::freeze;
    lasts(50, 2500);
  } else if (which < 86) {
    blow.part = Part::bridge;
    blow.how = dice.percent(70) ? How::kill : How::freeze;
    lasts(50, 800);
  } else {
    blow.part = Part::redis;
    blow.how = dice.percent(60) ? How::kill : How::freeze;
    lasts(50, 1200);
  }
  return blow;
}

}  // namespace

std::string_view name(Part part) {
  switch (part) {
    case Part::worker:
      return "worker";
    case Part::queen:
      return "queen";
    case Part::bridge:
      return "bridge";
    case Part::redis:
      return "redis";
    case Part::model_worker:
      return "model-worker";
    case Part::wire:
      return "wire";
  }
  return "?";
}

std::string_view name(How how) {
  switch (how) {
    case How::kill:
      return "kill";
    case How::freeze:
      return "freeze";
    case How::drain:
      return "drain";
    case How::cut:
      return "cut";
    case How::hang:
      return "hang";
  }
  return "?";
}

Plan make_plan(std::uint64_t seed, int jobs, const Mix& mix) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  plan.mix = mix;
  for (int number = 0; number < jobs; ++number) plan.jobs.push_back(draw_job(dice, seed, number, mix));
  if (mix.worker_kills_only) {
    for (int at = kJobsPerKill; at + kJobsPerKill <= jobs; at += kJobsPerKill) {
      plan.blows.push_back({at, Part::worker, dice.below(kWorkers), How::kill,
                            std::chrono::milliseconds(dice.between(50, 500))});
    }
    return plan;
  }
  // Now and then two blows at one place; the first jobs run in peace, the last ones too.
  for (int at = 10; at < jobs; at += dice.between(0, 12)) plan.blows.push_back(draw_blow(dice, at, mix));
  return plan;
}

}  // namespace waggle::chaos
