// Translating tensor names.
#include "pipeline/weights/original_names.h"

#include <charconv>

namespace waggle::pipeline {
namespace {

/// A dotted name, taken apart from the front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  /// Takes "prefix." off the front.
  bool take(std::string_view prefix) {
    if (!rest_.starts_with(prefix) || rest_.size() <= prefix.size() || rest_[prefix.size()] != '.')
      return false;
    rest_.remove_prefix(prefix.size() + 1);
    return true;
  }
  /// Takes a number and the dot behind it; -1 when there is none.
  int number() {
    int value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || end == rest_.data() + rest_.size() || *end != '.') return -1;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()) + 1);
    return value;
  }
  [[nodiscard]] std::string rest() const { return std::string(rest_); }

 private:
  std::string_view rest_;
};

struct Pair {
  std::string_view diffusers, original;
};

/// Replaces the first component(s) of a name by a table.
template <std::size_t n>
std::optional<std::string> by_table(const Pair (&table)[n], std::string_view name) {
  for (const Pair& row : table)
    if (Cursor cursor(name); cursor.take(row.diffusers))
      return std::string(row.original) + "." + cursor.rest();
  return std::nullopt;
}

constexpr Pair kUnetResnet[] = {{"norm1", "in_layers.0"},          {"conv1", "in_layers.2"},
                                {"time_emb_proj", "emb_layers.1"}, {"norm2", "out_layers.0"},
                                {"conv2", "out_layers.3"},         {"conv_shortcut", "skip_connection"}};
constexpr Pair kUnetOuter[] = {{"conv_in", "input_blocks.0.0"},
                               {"time_embedding.linear_1", "time_embed.0"},
                               {"time_embedding.linear_2", "time_embed.2"},
                               {"add_embedding.linear_1", "label_emb.0.0"},
                               {"add_embedding.linear_2", "label_emb.0.2"},
                               {"conv_norm_out", "out.0"},
                               {"conv_out", "out.2"}};

/// "resnets.j.X" or "attentions.j.X" of a block whose entry j is `prefix`+(base+j).
std::optional<std::string> unet_entry(Cursor cursor, const std::string& prefix, int base) {
  const bool resnet = cursor.take("resnets");
  if (!resnet && !cursor.take("attentions")) return std::nullopt;
  const int j = cursor.number();
  if (j < 0) return std::nullopt;
  const std::string place = prefix + std::to_string(base + j);
  if (!resnet) return place + ".1." + cursor.rest();
  const auto inner = by_table(kUnetResnet, cursor.rest());
  return inner ? std::optional(place + ".0." + *inner) : std::nullopt;
}

constexpr Pair kVaeOuter[] = {{"conv_in", "conv_in"},
                              {"conv_norm_out", "norm_out"},
                              {"conv_out", "conv_out"},
                              {"mid_block.resnets.0", "mid.block_1"},
                              {"mid_block.resnets.1", "mid.block_2"}};
constexpr Pair kVaeAttention[] = {
    {"group_norm", "norm"}, {"to_q", "q"}, {"to_k", "k"}, {"to_v", "v"}, {"to_out.0", "proj_out"}};

/// "nin_shortcut" is the VAE's only other word inside a residual block.
std::string vae_resnet(std::string rest) {
  constexpr std::string_view kShortcut = "conv_shortcut.";
  return rest.starts_with(kShortcut) ? "nin_shortcut." + rest.substr(kShortcut.size()) : rest;
}

std::optional<std::string> vae_half(Cursor cursor, const LevelLayout& layout, bool decoder) {
  if (cursor.take("mid_block.attentions.0")) {
    const auto inner = by_table(kVaeAttention, cursor.rest());
    return inner ? std::optional("mid.attn_1." + *inner) : std::nullopt;
  }
  if (cursor.take(decoder ? "up_blocks" : "down_blocks")) {
    const int i = cursor.number();
    if (i < 0) return std::nullopt;
    // The decoder's levels are counted from the finest, its blocks from the deepest.
    const std::string level =
        decoder ? "up." + std::to_string(layout.levels - 1 - i) : "down." + std::to_string(i);
    if (cursor.take("resnets")) {
      const int j = cursor.number();
      return level + ".block." + std::to_string(j) + "." + vae_resnet(cursor.rest());
    }
    if (cursor.take("upsamplers.0.conv")) return level + ".upsample.conv." + cursor.rest();
    if (cursor.take("downsamplers.0.conv")) return level + ".downsample.conv." + cursor.rest();
    return std::nullopt;
  }
  return by_table(kVaeOuter, cursor.rest());
}

}  // namespace

std::optional<std::string> original_unet_name(std::string_view name, const LevelLayout& layout) {
  Cursor cursor(name);
  const int entries = layout.layers_per_block + 1;
  if (cursor.take("down_blocks")) {
    const int level = cursor.number();
    if (level < 0) return std::nullopt;
    if (cursor.take("downsamplers.0.conv"))
      return "input_blocks." + std::to_string((level + 1) * entries) + ".0.op." + cursor.rest();
    return unet_entry(cursor, "input_blocks.", 1 + level * entries);
  }
  if (cursor.take("up_blocks")) {
    const int block = cursor.number();
    if (block < 0 || block >= static_cast<int>(layout.up_attention.size())) return std::nullopt;
    if (cursor.take("upsamplers.0.conv"))
      return "output_blocks." + std::to_string(block * entries + entries - 1) +
             (layout.up_attention[static_cast<std::size_t>(block)] ? ".2.conv." : ".1.conv.") + cursor.rest();
    return unet_entry(cursor, "output_blocks.", block * entries);
  }
  if (cursor.take("mid_block.attentions.0")) return "middle_block.1." + cursor.rest();
  if (cursor.take("mid_block.resnets")) {
    const int j = cursor.number();
    const auto inner = by_table(kUnetResnet, cursor.rest());
    return inner ? std::optional("middle_block." + std::to_string(2 * j) + "." + *inner) : std::nullopt;
  }
  return by_table(kUnetOuter, name);
}

std::optional<std::string> original_vae_name(std::string_view name, const LevelLayout& layout) {
  Cursor cursor(name);
  for (const bool decoder : {true, false})
    if (cursor.take(decoder ? "decoder" : "encoder")) {
      const auto inner = vae_half(cursor, layout, decoder);
      return inner ? std::optional((decoder ? "decoder." : "encoder.") + *inner) : std::nullopt;
    }
  return std::string(name);  // quant_conv, post_quant_conv
}

std::optional<std::string> original_controlnet_name(std::string_view name, const LevelLayout& layout) {
  Cursor cursor(name);
  if (cursor.take("controlnet_cond_embedding")) {
    // Convolutions alone have places of even number; between them lie their activations.
    int place = 0;
    if (cursor.take("blocks"))
      place = 2 * (cursor.number() + 1);
    else if (cursor.take("conv_out"))
      place = 2 * (layout.picture_blocks + 1);
    else if (!cursor.take("conv_in"))
      return std::nullopt;
    return "input_hint_block." + std::to_string(place) + "." + cursor.rest();
  }
  if (cursor.take("controlnet_down_blocks")) {
    const int skip = cursor.number();
    return "zero_convs." + std::to_string(skip) + ".0." + cursor.rest();
  }
  if (cursor.take("controlnet_mid_block")) return "middle_block_out.0." + cursor.rest();
  return original_unet_name(name, layout);
}

std::optional<OriginalName> open_clip_name(std::string_view name) {
  using Form = OriginalName::Form;
  if (name == "text_projection.weight") return OriginalName{"text_projection", Form::transposed};
  Cursor cursor(name);
  if (!cursor.take("text_model")) return std::nullopt;
  if (cursor.take("embeddings.token_embedding")) return OriginalName{"token_embedding." + cursor.rest()};
  if (cursor.take("embeddings.position_embedding")) return OriginalName{"positional_embedding"};
  if (cursor.take("final_layer_norm")) return OriginalName{"ln_final." + cursor.rest()};
  if (!cursor.take("encoder.layers")) return std::nullopt;
  const std::string block = "transformer.resblocks." + std::to_string(cursor.number()) + ".";
  constexpr std::string_view kFused[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
  for (int third = 0; third < 3; ++third)
    if (cursor.take(kFused[third]))
      return OriginalName{block + "attn.in_proj_" + cursor.rest(), Form::third_of_rows, third};
  constexpr Pair kRest[] = {{"self_attn.out_proj", "attn.out_proj"},
                            {"layer_norm1", "ln_1"},
                            {"layer_norm2", "ln_2"},
                            {"mlp.fc1", "mlp.c_fc"},
                            {"mlp.fc2", "mlp.c_proj"}};
  const auto inner = by_table(kRest, cursor.rest());
  return inner ? std::optional(OriginalName{block + *inner}) : std::nullopt;
}

}  // namespace waggle::pipeline
