// Configurations of the published families.
#include "pipeline/models/family_configs.h"

namespace waggle::pipeline {
namespace {

using nlohmann::json;
using Family = CheckpointKind::Family;

constexpr const char* kCross = "CrossAttnDownBlock2D";
constexpr const char* kPlain = "DownBlock2D";
constexpr const char* kCrossUp = "CrossAttnUpBlock2D";
constexpr const char* kPlainUp = "UpBlock2D";

json unet_base(std::int64_t in_channels) {
  return {{"in_channels", in_channels},
          {"out_channels", 4},
          {"layers_per_block", 2},
          {"norm_num_groups", 32},
          {"norm_eps", 1e-5},
          {"flip_sin_to_cos", true},
          {"freq_shift", 0}};
}

json sd_unet(const CheckpointKind& kind) {
  json unet = unet_base(kind.in_channels);
  unet["block_out_channels"] = {320, 640, 1280, 1280};
  unet["down_block_types"] = {kCross, kCross, kCross, kPlain};
  unet["up_block_types"] = {kPlainUp, kCrossUp, kCrossUp, kCrossUp};
  if (kind.family == Family::sd2) {
    unet.update({{"attention_head_dim", {5, 10, 20, 20}},
                 {"cross_attention_dim", 1024},
                 {"use_linear_projection", true},
                 {"sample_size", kind.predicts_v.value_or(true) && kind.in_channels != 9 ? 96 : 64}});
  } else {
    unet.update({{"attention_head_dim", 8},
                 {"cross_attention_dim", 768},
                 {"use_linear_projection", false},
                 {"sample_size", 64}});
  }
  return unet;
}

json sdxl_unet(const CheckpointKind& kind) {
  json unet = unet_base(kind.in_channels);
  unet.update({{"block_out_channels", {320, 640, 1280}},
               {"down_block_types", {kPlain, kCross, kCross}},
               {"up_block_types", {kCrossUp, kCrossUp, kPlainUp}},
               {"attention_head_dim", {5, 10, 20}},
               {"transformer_layers_per_block", {1, 2, 10}},
               {"cross_attention_dim", 2048},
               {"use_linear_projection", true},
               {"addition_embed_type", "text_time"},
               {"addition_time_embed_dim", 256},
               {"projection_class_embeddings_input_dim", 2816},
               {"sample_size", kind.turbo.value_or(false) ? 64 : 128}});
  return unet;
}

json sdxl_refiner_unet(const CheckpointKind& kind) {
  json unet = unet_base(kind.in_channels);
  unet.update({{"block_out_channels", {384, 768, 1536, 1536}},
               {"down_block_types", {kPlain, kCross, kCross, kPlain}},
               {"up_block_types", {kPlainUp, kCrossUp, kCrossUp, kPlainUp}},
               {"attention_head_dim", {6, 12, 24, 24}},
               {"transformer_layers_per_block", 4},
               {"cross_attention_dim", 1280},
               {"use_linear_projection", true},
               {"addition_embed_type", "text_time"},
               {"addition_time_embed_dim", 256},
               {"projection_class_embeddings_input_dim", 2560},
               {"sample_size", 128}});
  return unet;
}

json vae(double scaling_factor, bool force_upcast) {
  json config{{"in_channels", 3},
              {"out_channels", 3},
              {"latent_channels", 4},
              {"layers_per_block", 2},
              {"norm_num_groups", 32},
              {"block_out_channels", {128, 256, 512, 512}},
              {"scaling_factor", scaling_factor},
              {"force_upcast", force_upcast}};
  config["down_block_types"] = json::array();
  config["up_block_types"] = json::array();
  for (int level = 0; level < 4; ++level) {
    config["down_block_types"].push_back("DownEncoderBlock2D");
    config["up_block_types"].push_back("UpDecoderBlock2D");
  }
  return config;
}

json clip_text(int width, int layers, int heads, const char* act) {
  return {{"architectures", {"CLIPTextModel"}},
          {"vocab_size", 49408},
          {"hidden_size", width},
          {"intermediate_size", 4 * width},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"max_position_embeddings", 77},
          {"hidden_act", act},
          {"layer_norm_eps", 1e-5},
          {"eos_token_id", 49407}};
}

json sdxl_second_text() {
  json text = clip_text(1280, 32, 20, "gelu");
  text["architectures"] = {"CLIPTextModelWithProjection"};
  text["projection_dim"] = 1280;
  return text;
}

json scheduler(const CheckpointKind& kind, const char* class_name) {
  const bool trailing = kind.turbo.value_or(false) || kind.zero_terminal_snr;
  return {{"_class_name", class_name},
          {"beta_start", 0.00085},
          {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"},
          {"num_train_timesteps", 1000},
          {"prediction_type", kind.predicts_v.value_or(false) ? "v_prediction" : "epsilon"},
          {"timestep_spacing", trailing ? "trailing" : "leading"},
          {"rescale_betas_zero_snr", kind.zero_terminal_snr},
          {"steps_offset", 1},
          {"set_alpha_to_one", false},
          {"clip_sample", false},
          {"skip_prk_steps", true}};
}

}  // namespace

FamilyConfigs family_configs(const CheckpointKind& kind) {
  const bool inpaints = kind.in_channels == 9, turbo = kind.turbo.value_or(false);
  switch (kind.family) {
    case Family::sd1:
      return {inpaints ? "StableDiffusionInpaintPipeline" : "StableDiffusionPipeline",
              {sd_unet(kind), "SD 1.x unet"},
              {vae(0.18215, false), "SD 1.x vae"},
              {{clip_text(768, 12, 12, "quick_gelu"), "SD 1.x text encoder"}},
              scheduler(kind, kind.zero_terminal_snr ? "DDIMScheduler" : "PNDMScheduler").dump()};
    case Family::sd2:
      return {inpaints ? "StableDiffusionInpaintPipeline" : "StableDiffusionPipeline",
              {sd_unet(kind), "SD 2.x unet"},
              {vae(0.18215, false), "SD 2.x vae"},
              {{clip_text(1024, 23, 16, "gelu"), "SD 2.x text encoder"}},
              scheduler(kind, turbo                             ? "EulerDiscreteScheduler"
                              : kind.predicts_v.value_or(false) ? "DDIMScheduler"
                                                                : "PNDMScheduler")
                  .dump()};
    case Family::sdxl:
      return {"StableDiffusionXLPipeline",
              {sdxl_unet(kind), "SDXL unet"},
              {vae(0.13025, true), "SDXL vae"},
              {{clip_text(768, 12, 12, "quick_gelu"), "SDXL text encoder"},
               {sdxl_second_text(), "SDXL second text encoder"}},
              scheduler(kind, turbo ? "EulerAncestralDiscreteScheduler" : "EulerDiscreteScheduler").dump(),
              true};
    case Family::sdxl_refiner:
      return {"StableDiffusionXLImg2ImgPipeline",
              {sdxl_refiner_unet(kind), "SDXL refiner unet"},
              {vae(0.13025, true), "SDXL vae"},
              {{sdxl_second_text(), "SDXL second text encoder"}},
              scheduler(kind, turbo ? "EulerAncestralDiscreteScheduler" : "EulerDiscreteScheduler").dump()};
  }
  throw LoadError("the checkpoint is of a family without a configuration");
}

}  // namespace waggle::pipeline
