// One function per formula and one row per name. To add a schedule: one function, one row, one test.
#include "pipeline/schedules/registry.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "pipeline/schedules/beta_distribution.h"
#include "pipeline/schedules/tuned_levels.h"

namespace waggle::pipeline {
namespace {

double share(int i, int n) { return n == 1 ? 0.0 : static_cast<double>(i) / (n - 1); }

/// sigma_i = (max^(1/rho) + i/(n-1) (min^(1/rho) - max^(1/rho)))^rho with rho = 7.
std::vector<double> karras(const ScheduleInput& in) {
  constexpr double kRho = 7.0;
  const double high = std::pow(in.sigma_max, 1.0 / kRho);
  const double low = std::pow(in.sigma_min, 1.0 / kRho);
  std::vector<double> out;
  for (int i = 0; i < in.steps; ++i) out.push_back(std::pow(high + share(i, in.steps) * (low - high), kRho));
  return out;
}

/// Even in log sigma.
std::vector<double> exponential(const ScheduleInput& in) {
  const double high = std::log(in.sigma_max);
  const double low = std::log(in.sigma_min);
  std::vector<double> out;
  for (int i = 0; i < in.steps; ++i) out.push_back(std::exp(high + share(i, in.steps) * (low - high)));
  return out;
}

/// Even in time over n + 1 points from the last training timestep to the first, the last point dropped.
std::vector<double> sgm_uniform(const ScheduleInput& in) {
  const double last = in.noise.size() - 1;
  std::vector<double> out;
  for (int i = 0; i < in.steps; ++i) out.push_back(in.noise.sigma_at_log(last - i * last / in.steps));
  return out;
}

/// Every (T / n)-th entry of the training table, counted from its end.
std::vector<double> simple(const ScheduleInput& in) {
  const double stride = static_cast<double>(in.noise.size()) / in.steps;
  std::vector<double> out;
  for (int i = 0; i < in.steps; ++i)
    out.push_back(in.noise.sigma(in.noise.size() - 1 - static_cast<int>(i * stride)));
  return out;
}

/// Timesteps at the quantiles of Beta(0.6, 0.6): dense at both ends, sparse in the middle.
std::vector<double> beta(const ScheduleInput& in) {
  constexpr double kShape = 0.6;
  std::vector<double> timesteps;
  for (int i = 0; i < in.steps; ++i) {
    const double p = 1.0 - static_cast<double>(i) / in.steps;
    timesteps.push_back(beta_quantile(p, kShape, kShape) * (in.noise.size() - 1));
  }
  std::vector<double> out;
  for (const double t : rounded_if_distinct(timesteps)) out.push_back(in.noise.sigma_at(t));
  return out;
}

std::vector<double> ays(const ScheduleInput& in) { return align_your_steps(in.steps, in.sdxl); }

}  // namespace

std::span<const ScheduleRow> schedule_table() {
  static const std::vector<ScheduleRow> kTable = {
      {"model", "Automatic", {"default", "auto", "own"}, nullptr, std::nullopt, "scheduler_config.json"},
      {"leading",
       "Leading",
       {"ddim_uniform", "DDIM"},
       nullptr,
       Spacing::leading,
       "arXiv 2305.08891, table 2"},
      {"trailing",
       "Trailing",
       {"sgm_trailing", "turbo"},
       nullptr,
       Spacing::trailing,
       "arXiv 2305.08891, table 2"},
      {"linspace", "Uniform", {"normal", "linear"}, nullptr, Spacing::linspace, "arXiv 2305.08891, table 2"},
      {"karras", "Karras", {"use_karras_sigmas"}, karras, std::nullopt, "arXiv 2206.00364, eq. 5"},
      {"exponential",
       "Exponential",
       {"use_exponential_sigmas", "polyexponential", "use_lu_lambdas"},
       exponential,
       std::nullopt,
       "arXiv 2206.00927, sec. 3.4"},
      {"sgm_uniform", "SGM Uniform", {"sgm"}, sgm_uniform, std::nullopt, "Stability-AI generative-models"},
      {"simple", "Simple", {}, simple, std::nullopt, "ComfyUI"},
      {"beta", "Beta", {"use_beta_sigmas"}, beta, std::nullopt, "arXiv 2407.12173"},
      {"ays",
       "Align Your Steps",
       {"AlignYourSteps", "align_your_steps_11"},
       ays,
       std::nullopt,
       "arXiv 2404.14507"},
  };
  return kTable;
}

std::string folded_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c == '+' ? 'p' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

const ScheduleRow* find_schedule(std::string_view name) {
  const std::string wanted = folded_name(name);
  for (const ScheduleRow& row : schedule_table()) {
    const auto is_wanted = [&](std::string_view candidate) { return folded_name(candidate) == wanted; };
    if (is_wanted(row.name) || is_wanted(row.label) ||
        std::any_of(row.aliases.begin(), row.aliases.end(), is_wanted)) {
      return &row;
    }
  }
  return nullptr;
}

std::string known_schedules() {
  std::string out;
  for (const ScheduleRow& row : schedule_table()) out.append(out.empty() ? "" : ", ").append(row.name);
  return out;
}

}  // namespace waggle::pipeline
