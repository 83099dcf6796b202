// unet/config.json: what the model code supports, and a refusal by name of what it does not.
#include "pipeline/models/unet_config.h"

#include "pipeline/weights/load_error.h"

namespace waggle::pipeline {
namespace {

std::vector<bool> attention_per_level(const Config& config, const char* key, const std::string& with,
                                      const std::string& without) {
  std::vector<bool> flags;
  for (const auto& type : config.texts(key)) {
    if (type != with && type != without)
      throw LoadError(config.name() + ": /" + key +
                      " has a block type that is not supported: " + type.substr(0, 80));
    flags.push_back(type == with);
  }
  return flags;
}

void require_supported(const Config& config) {
  const nlohmann::json no = false;
  for (const char* key : {"class_embeddings_concat", "dual_cross_attention", "center_input_sample",
                          "only_cross_attention", "resnet_skip_time_act"})
    config.require(key, no);
  config.require("act_fn", "silu");
  config.require("resnet_time_scale_shift", "default");
  config.require("time_embedding_type", "positional");
  config.require("attention_type", "default");
  config.require("mid_block_type", "UNetMidBlock2DCrossAttn");
  config.require("conv_in_kernel", 3);
  config.require("conv_out_kernel", 3);
  config.require("downsample_padding", 1);
  config.require("mid_block_scale_factor", 1);
  config.require("resnet_out_scale_factor", 1.0);
  for (const char* key :
       {"class_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "time_cond_proj_dim",
        "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "num_class_embeds",
        "cross_attention_norm", "mid_block_only_cross_attention", "reverse_transformer_layers_per_block"})
    config.require(key, nullptr);
  config.require("addition_embed_type", "text_time");
}

}  // namespace

UNetConfig UNetConfig::down_path_from(const Config& config) {
  require_supported(config);
  UNetConfig c{};
  c.in_channels = config.integer("in_channels", 4);
  c.out_channels = config.integer("out_channels", 4);
  c.widths = config.integers("block_out_channels");
  const std::size_t levels = c.widths.size();
  c.down_attention = attention_per_level(config, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D");
  if (c.down_attention.size() != levels)
    throw LoadError(config.name() + ": block types and /block_out_channels differ in number");
  // The key's name is historical: in all Stable Diffusion configurations it is the number of heads.
  c.heads = config.has("num_attention_heads") ? config.per_level("num_attention_heads", levels)
                                              : config.per_level("attention_head_dim", levels, 8);
  c.transformer_layers = config.per_level("transformer_layers_per_block", levels, 1);
  c.layers_per_block = config.integer("layers_per_block", 2);
  c.context_width = config.integer("cross_attention_dim", 1280);
  c.groups = static_cast<int>(config.integer("norm_num_groups", 32));
  c.norm_eps = config.number("norm_eps", 1e-5);
  c.linear_projection = config.boolean("use_linear_projection", false);
  c.flip_sin_to_cos = config.boolean("flip_sin_to_cos", true);
  c.freq_shift = config.number("freq_shift", 0.0);
  c.sample_size = config.integer("sample_size", 64);
  for (std::size_t level = 0; level < levels; ++level)
    if (c.widths[level] % c.heads[level] != 0)
      throw LoadError(config.name() + ": heads do not divide the channels of level " + std::to_string(level));
  if (config.has("addition_embed_type")) {
    c.added_time_width = config.integer("addition_time_embed_dim");
    c.added_width = config.integer("projection_class_embeddings_input_dim");
  }
  return c;
}

UNetConfig UNetConfig::from(const Config& config) {
  UNetConfig c = down_path_from(config);
  c.up_attention = attention_per_level(config, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D");
  if (c.up_attention.size() != c.widths.size())
    throw LoadError(config.name() + ": block types and /block_out_channels differ in number");
  return c;
}

}  // namespace waggle::pipeline
