// vae/config.json: what the model code supports, and a refusal by name of what it does not.
#include "pipeline/models/vae_config.h"

#include "pipeline/weights/load_error.h"

namespace waggle::pipeline {

VaeConfig VaeConfig::from(const Config& config) {
  config.require("act_fn", "silu");
  config.require("latents_mean", nullptr);
  config.require("latents_std", nullptr);
  for (const auto& type : config.texts("up_block_types"))
    if (type != "UpDecoderBlock2D")
      throw LoadError(config.name() + ": /up_block_types has an unsupported type");
  for (const auto& type : config.texts("down_block_types"))
    if (type != "DownEncoderBlock2D")
      throw LoadError(config.name() + ": /down_block_types has an unsupported type");
  VaeConfig c{};
  c.in_channels = config.integer("in_channels", 3);
  c.out_channels = config.integer("out_channels", 3);
  c.latent_channels = config.integer("latent_channels", 4);
  c.widths = config.integers("block_out_channels");
  c.layers_per_block = config.integer("layers_per_block", 2);
  c.groups = static_cast<int>(config.integer("norm_num_groups", 32));
  c.scaling_factor = config.number("scaling_factor", 0.18215);
  c.force_upcast = config.boolean("force_upcast", true);
  if (c.out_channels != 3 || c.in_channels != 3)
    throw LoadError(config.name() + ": pictures must have 3 channels");
  if (!(c.scaling_factor > 0)) throw LoadError(config.name() + ": /scaling_factor must be above 0");
  return c;
}

}  // namespace waggle::pipeline
