// scheduler_golden.*: whole runs of every sampler on a closed-form network, which need no model.
//
// A case names a class, its resolved configuration and a step count; the plan and the coroutine do the rest.
// Compared are the table of alpha-bar, the start, the timesteps, the levels and the latents after each
// evaluation.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>

#include "pipeline/samplers/plan.h"
#include "pipeline/schedules/training_noise.h"
#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

using nlohmann::json;

/// The draws that a case stored, in order.
class StoredNoise final : public pipeline::NoiseSource {
 public:
  explicit StoredNoise(at::Tensor draws) : draws_(std::move(draws)) {}
  at::Tensor draw(at::IntArrayRef shape) override {
    if (left() == 0) throw std::runtime_error("draws more noise than the case stored");
    return draws_.select(0, next_++).reshape(shape);
  }
  [[nodiscard]] std::int64_t left() const { return draws_.defined() ? draws_.size(0) - next_ : 0; }

 private:
  at::Tensor draws_;
  std::int64_t next_ = 0;
};

/// out = 0.1 x cos(t / 1000) + 0.5 F
at::Tensor closed_form_network(const pipeline::Question& question, const at::Tensor& f) {
  return 0.1 * std::cos(question.t / 1000.0) * question.x + 0.5 * f;
}

at::Tensor as_tensor(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

/// Levels of a set that lists the end of each two-evaluation step twice: [s0, s1, s1, s2, s2, ...] -> [s0,
/// s1, s2, ...].
at::Tensor once_each(const at::Tensor& sigmas, std::int64_t steps) {
  return at::cat({sigmas.slice(0, 0, 1), sigmas.slice(0, 1, 2 * steps, 2)});
}

pipeline::PlanRequest request_of(const json& c) {
  pipeline::PlanRequest request;
  request.steps = c.at("steps");
  if (const auto& begin = c.at("begin_step"); begin.is_number()) {
    // The middle of the strengths that enter at this step, out of reach of rounding.
    request.strength = (request.steps - begin.get<int>() + 0.5) / request.steps;
  }
  if (const auto& set = c.at("set_timesteps"); set.contains("strength")) request.strength = set["strength"];
  if (const auto& step = c.at("step_kwargs"); step.contains("eta")) {
    request.eta = step["eta"];
  } else if (c.at("scheduler") == "TCDScheduler") {
    request.eta = 0.3;  // the default of its step(), where the pipelines pass 0
  }
  return request;
}

/// README's bound: recorded rounding where there is a record, else relative to the tensor's size.
double bound_of(const GoldenSet& set, const std::string& name, const json& c, const at::Tensor& expected) {
  const std::string scheduler = c.at("scheduler");
  const bool loose =
      scheduler == "LMSDiscreteScheduler" || scheduler == "DEISMultistepScheduler" || c.at("steps") == 1;
  const double relative = (loose ? 1e-4 : 2e-5) * std::max(1.0, expected.abs().max().item<double>());
  return std::max(set.bound(name, relative), relative);
}

void run_case(const GoldenSet& set, const std::string& name, const json& c, Report& report) {
  const std::string label = "scheduler/" + name;
  auto config = pipeline::parse_scheduler_config(c.at("config").dump(), c.at("scheduler"));
  if (!config) return report.fail(label, config.error().message);
  if (const auto& set_timesteps = c.at("set_timesteps"); set_timesteps.contains("original_inference_steps")) {
    // LCM takes the number as its distilled points; TCD takes its mere presence as "every training timestep".
    config->original_inference_steps = config->class_name == "TCDScheduler"
                                           ? config->num_train_timesteps
                                           : set_timesteps["original_inference_steps"].get<int>();
  }
  const pipeline::PlanRequest request = request_of(c);
  const auto made = pipeline::make_plan(*config, request);
  if (!made) return report.fail(label, made.error().message);
  const pipeline::Plan& plan = **made;

  const bool from_image = c.at("begin_step").is_number();
  const at::Tensor x0 = set.tensor("x0");
  const at::Tensor start = from_image ? plan.add_noise(set.tensor("img"), x0) : plan.scale_initial_noise(x0);
  const at::Tensor expected_start = set.tensor(name + ".start");
  report.compare(label + ".start", start, expected_start,
                 2e-6 * std::max(1.0, expected_start.abs().max().item<double>()));
  report.compare(label + ".timesteps", as_tensor(plan.timesteps()),
                 set.tensor(name + ".timesteps").to(at::kDouble), 2e-3);
  if (set.has(name + ".sigmas")) {
    at::Tensor sigmas = set.tensor(name + ".sigmas").to(at::kDouble);
    if (c.at("order") == 2) sigmas = once_each(sigmas, request.steps);
    report.compare(label + ".sigmas", as_tensor(plan.sigmas()), sigmas,
                   2e-6 * std::max(1.0, sigmas.max().item<double>()));
  }

  const at::Tensor f = set.tensor("F");
  StoredNoise noise(set.has(name + ".noise") ? set.tensor(name + ".noise") : at::Tensor());
  pipeline::SamplerCoroutine run = plan.start(expected_start.clone(), noise);
  std::vector<at::Tensor> latents;
  for (auto stop = run.advance(); stop != pipeline::SamplerCoroutine::Stop::end; stop = run.advance()) {
    if (stop == pipeline::SamplerCoroutine::Stop::question) {
      run.answer(closed_form_network(run.question(), f));
    } else {
      latents.push_back(run.latents());
    }
  }
  if (noise.left() > 0)
    return report.fail(label, "leaves " + std::to_string(noise.left()) + " stored draws unused");
  const at::Tensor expected = set.tensor(name + ".latents");
  report.compare(label + ".latents", at::stack(latents), expected,
                 bound_of(set, name + ".latents", c, expected));
}

/// The tables of alpha-bar that the library computed, by the name that the set gives them.
void run_tables(const GoldenSet& set, Report& report) {
  struct Table {
    const char* name;
    const char* schedule;
    double start, end;
    bool zero_snr;
  };
  constexpr Table kTables[] = {
      {"scaled_linear", "scaled_linear", 0.00085, 0.012, false},
      {"linear_1e-4_0.02", "linear", 0.0001, 0.02, false},
      {"squaredcos_cap_v2", "squaredcos_cap_v2", 0.00085, 0.012, false},
      {"scaled_linear_zero_snr", "scaled_linear", 0.00085, 0.012, true},
  };
  for (const Table& table : kTables) {
    const std::string name = std::string("alphas_cumprod.") + table.name;
    if (!set.has(name) || !report.wants("scheduler/" + name)) continue;
    pipeline::SchedulerConfig config;
    config.beta_schedule = table.schedule;
    config.beta_start = table.start;
    config.beta_end = table.end;
    config.rescale_betas_zero_snr = table.zero_snr;
    const pipeline::TrainingNoise noise(config);
    std::vector<double> alpha_bar;
    for (int t = 0; t < noise.size(); ++t) alpha_bar.push_back(noise.alpha_bar(t));
    report.compare("scheduler/" + name, as_tensor(alpha_bar), set.tensor(name).to(at::kDouble), 1e-7);
  }
}

}  // namespace

void run_scheduler_cases(const std::filesystem::path& dir, Report& report) {
  const GoldenSet set(dir, "scheduler_golden");
  run_tables(set, report);
  for (const auto& [name, c] : set.json().at("cases").items()) {
    if (!report.wants("scheduler/" + name)) continue;
    if (c.at("step_kwargs").value("s_churn", 0.0) > 0.0) {
      report.skip("scheduler/" + name, "the noise that churn draws is not stored");
      continue;
    }
    try {
      run_case(set, name, c, report);
    } catch (const std::exception& error) {
      report.fail("scheduler/" + name, error.what());
    }
  }
  const json not_stored = set.json().value("failed_in_library", json::object());
  for (const auto& [name, reason] : not_stored.items()) {
    if (report.wants("scheduler/" + name))
      report.skip("scheduler/" + name, "not stored: " + reason.get<std::string>());
  }
}

}  // namespace waggle::golden
