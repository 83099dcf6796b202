// What single checkpoints are taken for, where their tensors leave a choice.
#include "pipeline/models/checkpoint_hints.h"

#include <fstream>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/models/family_configs.h"
#include "pipeline/models/unet_config.h"
#include "pipeline/schedules/scheduler_config.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle::pipeline;
using namespace waggle::adapters;
using Family = CheckpointKind::Family;

namespace {

NamedTensors tensors_of(Family family, std::int64_t in_channels = 4) {
  NamedTensors tensors{{"model.diffusion_model.input_blocks.0.0.weight", at::zeros({2, in_channels, 3, 3})}};
  const char* norm = family == Family::sd1 ? "cond_stage_model.transformer.text_model.final_layer_norm.weight"
                     : family == Family::sd2 ? "cond_stage_model.model.ln_final.weight"
                                             : "conditioner.embedders.1.model.ln_final.weight";
  tensors.emplace_back(norm, at::zeros({2}));
  return tensors;
}

struct Checkpoint {
  CheckpointKind kind(const NamedTensors& tensors, const std::string& family = "",
                      const std::string& name = "model.safetensors") const {
    const auto file = SafetensorsFile::open(folder.write(name, tensors)).value();
    return with_hints(recognise(file), file, family);
  }
  void beside(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() / name) << text;
  }
  LoraFolder folder;
};

SchedulerConfig scheduler(const CheckpointKind& kind) {
  return parse_scheduler_config(family_configs(kind).scheduler_json).value();
}

}  // namespace

TEST_CASE("checkpoint hints: SD 2.x tells velocity from noise by the spread of a bias") {
  const Checkpoint checkpoint;
  constexpr const char* kBias = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";
  NamedTensors tensors = tensors_of(Family::sd2);
  CHECK(*checkpoint.kind(tensors).predicts_v);  // without a clue: the one that is more common
  tensors.emplace_back(kBias, noise(1, {320}) * 5);
  CHECK(*checkpoint.kind(tensors).predicts_v);
  tensors.back().second = noise(1, {320}) * 0.2;
  const CheckpointKind base = checkpoint.kind(tensors);
  CHECK_FALSE(*base.predicts_v);
  CHECK(scheduler(base).prediction == Prediction::epsilon);
  CHECK(UNetConfig::from(family_configs(base).unet).sample_size == 64);
  CHECK(*checkpoint.kind(tensors, "sd21-v").predicts_v);
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sd2), "sd21-base").predicts_v);
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sd2, 9)).predicts_v);

  checkpoint.beside("model.yaml",
                    "model:\n  params:\n    parameterization: \"v\"\n    linear_start: 0.00085\n");
  const CheckpointKind v = checkpoint.kind(tensors);
  CHECK(*v.predicts_v);
  CHECK(scheduler(v).prediction == Prediction::v_prediction);
  CHECK(UNetConfig::from(family_configs(v).unet).sample_size == 96);
  checkpoint.beside("model.yaml", "model:\n  params:\n    linear_start: 0.00085\n");
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sd2)).predicts_v);
  checkpoint.beside("model.safetensors.json", R"({"prediction_type": "v_prediction"})");
  CHECK(*checkpoint.kind(tensors).predicts_v);
}

TEST_CASE("checkpoint hints: marks of trainers count for every family") {
  const Checkpoint checkpoint;
  for (const Family family : {Family::sd1, Family::sdxl}) {
    NamedTensors tensors = tensors_of(family);
    CHECK_FALSE(*checkpoint.kind(tensors).predicts_v);
    tensors.emplace_back("v_pred", at::zeros({0}));
    tensors.emplace_back("ztsnr", at::zeros({0}));
    const CheckpointKind kind = checkpoint.kind(tensors);
    CHECK(*kind.predicts_v);
    const SchedulerConfig config = scheduler(kind);
    CHECK(config.prediction == Prediction::v_prediction);
    CHECK(config.rescale_betas_zero_snr);
    CHECK(config.spacing == Spacing::trailing);
  }
}

TEST_CASE("checkpoint hints: Turbo is told by its name, by the family, and by what lies beside it") {
  const Checkpoint checkpoint;
  const NamedTensors sdxl = tensors_of(Family::sdxl);
  CHECK_FALSE(*checkpoint.kind(sdxl).turbo);
  CHECK(*checkpoint.kind(sdxl, "", "sd_xl_Turbo_1.0_fp16.safetensors").turbo);
  CHECK_FALSE(*checkpoint.kind(sdxl, "sdxl", "sd_xl_turbo_1.0.safetensors").turbo);
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sd1), "", "turbo.safetensors").turbo);
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sd1), "turbo").turbo);
  CHECK_FALSE(*checkpoint.kind(tensors_of(Family::sdxl, 9), "turbo").turbo);
  for (const Family family : {Family::sd2, Family::sdxl}) {
    const CheckpointKind kind = checkpoint.kind(tensors_of(family), "turbo");
    CHECK(*kind.turbo);
    CHECK_FALSE(*kind.predicts_v);
    const SchedulerConfig config = scheduler(kind);
    CHECK(config.class_name.starts_with("Euler"));
    CHECK(config.spacing == Spacing::trailing);
    CHECK(config.prediction == Prediction::epsilon);
    CHECK(UNetConfig::from(family_configs(kind).unet).sample_size == 64);
  }
  checkpoint.beside("model.safetensors.json", R"({"family": "turbo"})");
  CHECK(*checkpoint.kind(sdxl).turbo);
  checkpoint.beside("model.safetensors.json", R"({"family": "sdxl"})");
  CHECK_FALSE(*checkpoint.kind(sdxl, "turbo").turbo);
}

TEST_CASE("checkpoint hints: a file beside the checkpoint that contradicts it is named") {
  const Checkpoint checkpoint;
  for (const char* text : {"[]", "{", R"({"family": "sd15"})", R"({"family": 1})",
                           R"({"prediction_type": "x"})", R"({"zero_terminal_snr": 1})"}) {
    checkpoint.beside("model.safetensors.json", text);
    INFO(text);
    CHECK_THROWS_WITH(checkpoint.kind(tensors_of(Family::sdxl)), Catch::Contains("model.safetensors.json"));
  }
}
