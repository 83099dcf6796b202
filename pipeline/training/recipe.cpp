// The demo model's configurations.
#include "pipeline/training/recipe.h"

namespace waggle::training {

using nlohmann::json;

json vae_config(double scaling_factor) {
  return {{"_class_name", "AutoencoderKL"},
          {"act_fn", "silu"},
          {"block_out_channels", {16, 32, 32, 64}},
          {"down_block_types", json::array({"DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                                            "DownEncoderBlock2D"})},
          {"up_block_types",
           json::array({"UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"})},
          {"in_channels", 3},
          {"out_channels", 3},
          {"latent_channels", 4},
          {"layers_per_block", 1},
          // Two groups: small groups take the level of a flat colour out of the picture.
          {"norm_num_groups", 2},
          {"sample_size", kSide},
          {"scaling_factor", scaling_factor},
          {"force_upcast", false}};
}

json unet_config() {
  return {{"_class_name", "UNet2DConditionModel"},
          {"act_fn", "silu"},
          {"attention_head_dim", 4},  // the number of heads, as in every Stable Diffusion 1.x configuration
          {"block_out_channels", {64, 128}},
          {"center_input_sample", false},
          {"cross_attention_dim", 128},
          {"down_block_types", json::array({"DownBlock2D", "CrossAttnDownBlock2D"})},
          {"up_block_types", json::array({"CrossAttnUpBlock2D", "UpBlock2D"})},
          {"mid_block_type", "UNetMidBlock2DCrossAttn"},
          {"downsample_padding", 1},
          {"flip_sin_to_cos", true},
          {"freq_shift", 0},
          {"in_channels", 4},
          {"out_channels", 4},
          {"layers_per_block", 1},
          {"mid_block_scale_factor", 1},
          {"norm_eps", 1e-5},
          {"norm_num_groups", 8},
          {"sample_size", kLatentSide}};
}

json text_config(std::int64_t vocabulary, std::int32_t begin, std::int32_t end) {
  return {{"architectures", {"CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"hidden_act", "quick_gelu"},
          {"hidden_size", 128},
          {"intermediate_size", 512},
          {"projection_dim", 128},
          {"num_attention_heads", 4},
          {"num_hidden_layers", 3},
          {"max_position_embeddings", kTextLength},
          {"layer_norm_eps", 1e-5},
          {"vocab_size", vocabulary},
          {"bos_token_id", begin},
          {"eos_token_id", end},
          {"pad_token_id", end}};
}

json scheduler_config() {
  return {{"_class_name", "EulerAncestralDiscreteScheduler"},
          {"beta_start", 0.00085},
          {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"},
          {"num_train_timesteps", 1000},
          {"prediction_type", "v_prediction"},
          {"timestep_spacing", "trailing"},
          {"steps_offset", 0}};
}

json model_index() {
  return {{"_class_name", "StableDiffusionPipeline"},
          {"_diffusers_version", "0.27.2"},
          {"feature_extractor", {nullptr, nullptr}},
          {"safety_checker", {nullptr, nullptr}},
          {"requires_safety_checker", false},
          {"_guidance_scale", kGuidance},
          {"scheduler", {"diffusers", "EulerAncestralDiscreteScheduler"}},
          {"text_encoder", {"transformers", "CLIPTextModel"}},
          {"tokenizer", {"transformers", "CLIPTokenizer"}},
          {"unet", {"diffusers", "UNet2DConditionModel"}},
          {"vae", {"diffusers", "AutoencoderKL"}}};
}

}  // namespace waggle::training
