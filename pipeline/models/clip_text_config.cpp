// text_encoder/config.json: what the model code supports, and a refusal by name of what it does not.
#include "pipeline/models/clip_text_config.h"

#include "pipeline/weights/load_error.h"

namespace waggle::pipeline {

ClipTextConfig ClipTextConfig::from(const Config& config) {
  ClipTextConfig c{};
  c.vocabulary = config.integer("vocab_size", 49408);
  c.width = config.integer("hidden_size", 768);
  c.mlp_width = config.integer("intermediate_size", 4 * c.width);
  c.layers = config.integer("num_hidden_layers", 12);
  c.heads = config.integer("num_attention_heads", 12);
  c.positions = config.integer("max_position_embeddings", 77);
  c.eos_token_id = config.integer("eos_token_id", 49407);
  c.norm_eps = config.number("layer_norm_eps", 1e-5);
  const auto act = config.text("hidden_act", "quick_gelu");
  if (act != "quick_gelu" && act != "gelu")
    throw LoadError(config.name() + ": /hidden_act must be quick_gelu or gelu");
  c.quick_gelu = act == "quick_gelu";
  if (c.heads == 0 || c.width % c.heads != 0)
    throw LoadError(config.name() + ": /num_attention_heads must divide /hidden_size");
  const auto& json = config.json();
  const bool projects = json.contains("architectures") && json["architectures"].is_array() &&
                        !json["architectures"].empty() &&
                        json["architectures"][0] == "CLIPTextModelWithProjection";
  if (projects) c.projection_width = config.integer("projection_dim", c.width);
  return c;
}

}  // namespace waggle::pipeline
