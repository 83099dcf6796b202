// The names that people type.
#include <map>

#include <catch2/catch.hpp>

#include "pipeline/samplers/registry.h"
#include "tests/pipeline/samplers/closed_form.h"

namespace waggle::pipeline {

TEST_CASE("names: no name, label or alias means two samplers or two schedules") {
  std::map<std::string, std::string_view> owner;
  for (const SamplerRow& row : sampler_table()) {
    std::vector<std::string_view> names = row.aliases;
    names.insert(names.end(), {row.name, row.label});
    for (const std::string_view name : names) {
      INFO(row.name << ": " << name);
      CHECK(owner.emplace(folded_name(name), row.name).first->second == row.name);
      CHECK(find_sampler(name) == &row);
    }
  }
  owner.clear();
  for (const ScheduleRow& row : schedule_table()) {
    std::vector<std::string_view> names = row.aliases;
    names.insert(names.end(), {row.name, row.label});
    for (const std::string_view name : names) {
      CHECK(owner.emplace(folded_name(name), row.name).first->second == row.name);
      CHECK(find_schedule(name) == &row);
    }
  }
}

TEST_CASE("names: what users of other programs type is understood") {
  struct Typed {
    const char* name;
    const char* sampler;
    const char* schedule;
  };
  const Typed kTyped[] = {
      {"DPM++ 2M Karras", "dpmpp_2m", "karras"},
      {"DPM++ 2M SDE Karras", "dpmpp_2m_sde", "karras"},
      {"DPM++ 3M SDE Exponential", "dpmpp_3m_sde", "exponential"},
      {"DPM++ 2S a Karras", "dpmpp_2s_ancestral", "karras"},
      {"DPM2 a Karras", "dpm2_ancestral", "karras"},
      {"Euler a", "euler_ancestral", nullptr},
      {"euler_ancestral", "euler_ancestral", nullptr},
      {"k_euler_a", "euler_ancestral", nullptr},
      {"PLMS", "pndm", nullptr},
      {"uni_pc", "unipc", nullptr},
      {"dpmpp_2m_sde_gpu", "dpmpp_2m_sde", nullptr},
      {"dpm_2_ancestral", "dpm2_ancestral", nullptr},
      {"dpmpp_2m_karras", "dpmpp_2m", "karras"},
      {"Euler SGM Uniform", "euler", "sgm_uniform"},
      {"DPM++ 2M Align Your Steps", "dpmpp_2m", "ays"},
      {"EulerAncestralDiscreteScheduler", "euler_ancestral", nullptr},
      {"DPMSolverMultistep", "dpmpp_2m", nullptr},
      {"KDPM2DiscreteScheduler", "dpm2", nullptr},
  };
  for (const Typed& typed : kTyped) {
    INFO(typed.name);
    const NamedSampler found = find_sampler_and_schedule(typed.name);
    REQUIRE(found.sampler != nullptr);
    CHECK(found.sampler->name == typed.sampler);
    CHECK((found.schedule != nullptr) == (typed.schedule != nullptr));
    if (found.schedule != nullptr && typed.schedule != nullptr) CHECK(found.schedule->name == typed.schedule);
  }
}

TEST_CASE("names: an unknown name is answered with the known ones") {
  const SchedulerConfig model = closed_form::stable_diffusion();
  const auto sampler = make_plan(model, {.sampler = "dpmpp_9z"});
  REQUIRE_FALSE(sampler);
  CHECK(sampler.error().code == ErrorCode::unknown_sampler);
  CHECK(sampler.error().message.find("dpmpp_9z") != std::string::npos);
  CHECK(sampler.error().message.find("euler_ancestral") != std::string::npos);
  const auto schedule = make_plan(model, {.sampler = "euler", .schedule = "wavy"});
  REQUIRE_FALSE(schedule);
  CHECK(schedule.error().code == ErrorCode::unknown_sampler);
  CHECK(schedule.error().message.find("sgm_uniform") != std::string::npos);
}

TEST_CASE("names: a model's own class decides when nothing is asked for") {
  SchedulerConfig model = closed_form::stable_diffusion();
  const auto own = [&] { return closed_form::plan_for(model, {}); };
  model.class_name = "PNDMScheduler";
  CHECK(own()->sampler() == "pndm");
  model.class_name = "DPMSolverMultistepScheduler";
  CHECK(own()->sampler() == "dpmpp_2m");
  model.algorithm_type = "sde-dpmsolver++";
  model.use_karras_sigmas = true;
  CHECK(own()->sampler() == "dpmpp_2m_sde");
  CHECK(own()->schedule() == "karras");
  model.class_name = "EulerAncestralDiscreteScheduler";
  CHECK(own()->schedule() == "model");  // the class has no such setting
  model.class_name = "FlowMatchEulerDiscreteScheduler";
  CHECK(make_plan(model, {}).error().code == ErrorCode::unknown_sampler);
  CHECK(closed_form::plan_for(model, {.sampler = "ddim"})->sampler() == "ddim");
}

}  // namespace waggle::pipeline
