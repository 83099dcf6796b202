// The rows, and how names are looked up in them.
#include "pipeline/samplers/registry.h"

#include <algorithm>

namespace waggle::pipeline {
namespace {

std::vector<SamplerRow> make_table() {
  using enum Family;
  return {
      {.name = "ddim",
       .label = "DDIM",
       .class_name = "DDIMScheduler",
       .aliases = {},
       .run = ddim,
       .family = table,
       .clips = true,
       .source = "arXiv 2010.02502"},
      {.name = "ddpm",
       .label = "DDPM",
       .class_name = "DDPMScheduler",
       .aliases = {},
       .run = ddpm,
       .family = table,
       .draws = true,
       .clips = true,
       .final_alpha_is_one = true,
       .source = "arXiv 2006.11239"},
      {.name = "pndm",
       .label = "PLMS",
       .class_name = "PNDMScheduler",
       .aliases = {},
       .run = pndm,
       .family = table,
       .layout = Layout::pndm,
       .order = 2,
       .any_schedule = false,
       .source = "arXiv 2202.09778"},
      {.name = "lms",
       .label = "LMS",
       .class_name = "LMSDiscreteScheduler",
       .aliases = {"k_lms"},
       .run = lms,
       .family = sigma,
       .order = 2,
       .own_levels = true,
       .source = "k-diffusion"},
      {.name = "euler",
       .label = "Euler",
       .class_name = "EulerDiscreteScheduler",
       .aliases = {"k_euler"},
       .run = euler,
       .family = sigma,
       .own_levels = true,
       .source = "arXiv 2206.00364"},
      {.name = "euler_ancestral",
       .label = "Euler a",
       .class_name = "EulerAncestralDiscreteScheduler",
       .aliases = {"k_euler_a", "k_euler_ancestral"},
       .run = euler_ancestral,
       .family = sigma,
       .draws = true,
       .source = "k-diffusion"},
      {.name = "heun",
       .label = "Heun",
       .class_name = "HeunDiscreteScheduler",
       .aliases = {"k_heun"},
       .run = heun,
       .family = sigma,
       .layout = Layout::endpoint,
       .order = 2,
       .own_levels = true,
       .clips = true,
       .source = "arXiv 2206.00364"},
      {.name = "dpm2",
       .label = "DPM2",
       .class_name = "KDPM2DiscreteScheduler",
       .aliases = {"dpm_2", "kdpm2", "k_dpm_2"},
       .run = dpm2,
       .family = sigma,
       .layout = Layout::midpoint,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "arXiv 2206.00927"},
      {.name = "dpm2_ancestral",
       .label = "DPM2 a",
       .class_name = "KDPM2AncestralDiscreteScheduler",
       .aliases = {"dpm_2_ancestral", "kdpm2_ancestral", "kdpm2_a", "k_dpm_2_a", "k_dpm_2_ancestral"},
       .run = dpm2_ancestral,
       .family = sigma,
       .layout = Layout::ancestral_midpoint,
       .draws = true,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "k-diffusion"},
      {.name = "dpmpp_2m",
       .label = "DPM++ 2M",
       .class_name = "DPMSolverMultistepScheduler",
       .aliases = {"dpm_solver++", "dpm_multistep", "k_dpmpp_2m"},
       .run = dpmpp_multistep,
       .family = multistep,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "arXiv 2211.01095"},
      {.name = "dpmpp_3m",
       .label = "DPM++ 3M",
       .class_name = "DPMSolverMultistepScheduler",
       .aliases = {},
       .run = dpmpp_multistep,
       .family = multistep,
       .order = 2,
       .solver_order = 3,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "arXiv 2211.01095"},
      {.name = "dpmpp_2m_sde",
       .label = "DPM++ 2M SDE",
       .class_name = "DPMSolverMultistepScheduler",
       .aliases = {"dpmpp_2m_sde_gpu", "sde_dpmsolver++"},
       .run = dpmpp_sde_multistep,
       .family = multistep,
       .draws = true,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "arXiv 2211.01095"},
      {.name = "dpmpp_3m_sde",
       .label = "DPM++ 3M SDE",
       .class_name = "DPMSolverMultistepScheduler",
       .aliases = {"dpmpp_3m_sde_gpu"},
       .run = dpmpp_sde_multistep,
       .family = multistep,
       .solver_order = 3,
       .draws = true,
       .own_levels = true,
       .whole_timesteps = true,
       .source = "k-diffusion"},
      {.name = "dpm_solver",
       .label = "DPM-Solver",
       .class_name = "DPMSolverMultistepScheduler",
       .aliases = {"dpm_solver_2m"},
       .run = dpm_solver,
       .family = multistep,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .ends_at_zero = false,
       .source = "arXiv 2206.00927"},
      {.name = "dpmpp_2s",
       .label = "DPM++ 2S",
       .class_name = "DPMSolverSinglestepScheduler",
       .aliases = {"dpm_singlestep", "singlestep"},
       .run = dpmpp_singlestep,
       .family = multistep,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .fixed_spacing = Spacing::linspace,
       .source = "arXiv 2211.01095"},
      {.name = "dpmpp_2s_ancestral",
       .label = "DPM++ 2S a",
       .class_name = "",
       .aliases = {"k_dpmpp_2s_a"},
       .run = dpmpp_2s_ancestral,
       .family = sigma,
       .layout = Layout::ancestral_midpoint,
       .draws = true,
       .source = "k-diffusion"},
      {.name = "dpmpp_sde",
       .label = "DPM++ SDE",
       .class_name = "DPMSolverSDEScheduler",
       .aliases = {"dpmpp_sde_gpu", "k_dpmpp_sde"},
       .run = dpmpp_sde,
       .family = sigma,
       .layout = Layout::midpoint,
       .draws = true,
       .own_levels = true,
       .source = "arXiv 2211.01095"},
      {.name = "unipc",
       .label = "UniPC",
       .class_name = "UniPCMultistepScheduler",
       .aliases = {"uni_pc_bh2"},
       .run = unipc,
       .family = multistep,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .ends_at_zero = false,
       .source = "arXiv 2302.04867"},
      {.name = "deis",
       .label = "DEIS",
       .class_name = "DEISMultistepScheduler",
       .aliases = {},
       .run = deis,
       .family = multistep,
       .order = 2,
       .own_levels = true,
       .whole_timesteps = true,
       .ends_at_zero = false,
       .source = "arXiv 2204.13902"},
      {.name = "lcm",
       .label = "LCM",
       .class_name = "LCMScheduler",
       .aliases = {},
       .run = lcm,
       .family = distilled,
       .order = 0,
       .draws = true,
       .any_schedule = false,
       .clips = true,
       .source = "arXiv 2310.04378"},
      {.name = "tcd",
       .label = "TCD",
       .class_name = "TCDScheduler",
       .aliases = {},
       .run = tcd,
       .family = distilled,
       .any_schedule = false,
       .source = "arXiv 2402.19159"},
  };
}

bool is_called(const SamplerRow& row, const std::string& folded) {
  const auto same = [&](std::string_view candidate) { return folded_name(candidate) == folded; };
  constexpr std::string_view kSuffix = "Scheduler";
  const bool is_class =
      !row.class_name.empty() &&
      (same(row.class_name) || same(row.class_name.substr(0, row.class_name.size() - kSuffix.size())));
  return same(row.name) || same(row.label) || is_class ||
         std::any_of(row.aliases.begin(), row.aliases.end(), same);
}

}  // namespace

std::span<const SamplerRow> sampler_table() {
  static const std::vector<SamplerRow> kTable = make_table();
  return kTable;
}

const SamplerRow* find_sampler(std::string_view name) {
  const std::string folded = folded_name(name);
  for (const SamplerRow& row : sampler_table()) {
    if (is_called(row, folded)) return &row;
  }
  return nullptr;
}

NamedSampler find_sampler_and_schedule(std::string_view name) {
  if (const SamplerRow* whole = find_sampler(name)) return {whole, nullptr};
  // "DPM++ 2M SDE Karras": try each word boundary from the right, so that the sampler's part is as long as it
  // can be.
  for (std::size_t cut = name.size(); cut-- > 1;) {
    if (name[cut] != ' ' && name[cut] != '_' && name[cut] != '-') continue;
    const ScheduleRow* schedule = find_schedule(name.substr(cut + 1));
    const SamplerRow* sampler = find_sampler(name.substr(0, cut));
    if (schedule != nullptr && sampler != nullptr) return {sampler, schedule};
  }
  return {};
}

const SamplerRow* own_sampler(const SchedulerConfig& config) {
  // A checkpoint without a configuration: the sampler that most of its users would have chosen.
  if (config.class_name.empty()) return find_sampler("euler");
  if (config.class_name == "DPMSolverMultistepScheduler") {
    const std::string algorithm = config.algorithm_type.value_or("dpmsolver++");
    const bool third = config.solver_order.value_or(2) == 3;
    if (algorithm == "dpmsolver") return find_sampler("dpm_solver");
    if (algorithm == "sde-dpmsolver++") return find_sampler(third ? "dpmpp_3m_sde" : "dpmpp_2m_sde");
    if (algorithm == "dpmsolver++" || algorithm == "deis")
      return find_sampler(third ? "dpmpp_3m" : "dpmpp_2m");
    return nullptr;
  }
  // The single-step solver on the noise was never used with Stable Diffusion and is not offered.
  if (config.class_name == "DPMSolverSinglestepScheduler" && config.algorithm_type == "dpmsolver")
    return nullptr;
  const auto table = sampler_table();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const SamplerRow& r) { return r.class_name == config.class_name; });
  return row == table.end() ? nullptr : &*row;
}

std::string known_samplers() {
  std::string out;
  for (const SamplerRow& row : sampler_table()) out.append(out.empty() ? "" : ", ").append(row.name);
  return out;
}

}  // namespace waggle::pipeline
