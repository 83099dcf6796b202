// Tables of prefixes and suffixes.
#include "pipeline/adapters/lora_names.h"

#include <algorithm>

namespace waggle::pipeline {
namespace {

struct Leaf {
  std::string_view suffix;
  Factor factor;
};
// Longer suffixes come before those that they end with.
constexpr Leaf kLeaves[] = {
    {".lora_down.weight", Factor::down},
    {".lora_up.weight", Factor::up},
    {".lora_mid.weight", Factor::mid},
    {".lora_A.weight", Factor::down},
    {".lora_B.weight", Factor::up},
    {".lora_A.default.weight", Factor::down},
    {".lora_B.default.weight", Factor::up},
    {".lora.down.weight", Factor::down},
    {".lora.up.weight", Factor::up},
    {".lora_linear_layer.down.weight", Factor::down},
    {".lora_linear_layer.up.weight", Factor::up},
    {"_lora.down.weight", Factor::down},
    {"_lora.up.weight", Factor::up},
    {".hada_w1_a", Factor::hada_w1_a},
    {".hada_w1_b", Factor::hada_w1_b},
    {".hada_w2_a", Factor::hada_w2_a},
    {".hada_w2_b", Factor::hada_w2_b},
    {".hada_t1", Factor::hada_t1},
    {".hada_t2", Factor::hada_t2},
    {".lora.alpha", Factor::alpha},
    {".lora_linear_layer.alpha", Factor::alpha},
    {"_lora.alpha", Factor::alpha},
    {".alpha", Factor::alpha},
};

struct Prefix {
  std::string_view text;
  AdapterPart part;
};
constexpr Prefix kPrefixes[] = {{"lora_unet_", AdapterPart::unet},
                                {"lora_te1_", AdapterPart::text_encoder},
                                {"lora_te2_", AdapterPart::text_encoder_2},
                                {"lora_te_", AdapterPart::text_encoder},
                                {"unet.", AdapterPart::unet},
                                {"text_encoder_2.", AdapterPart::text_encoder_2},
                                {"text_encoder.", AdapterPart::text_encoder}};

struct Pair {
  std::string_view written, meant;
};
// Diffusers once called the text encoder's projections by the UNet's names.
constexpr Pair kTextProjections[] = {{"self_attn.to_q", "self_attn.q_proj"},
                                     {"self_attn.to_k", "self_attn.k_proj"},
                                     {"self_attn.to_v", "self_attn.v_proj"},
                                     {"self_attn.to_out.0", "self_attn.out_proj"}};

/// Last words of names; those that end with '_' are beginnings of words.
constexpr Pair kUnsupported[] = {{"dora_scale", "DoRA"},
                                 {"lora_magnitude_vector", "DoRA"},
                                 {"lora_magnitude_vector.weight", "DoRA"},
                                 {"lokr_", "LoKr"},
                                 {"oft_", "OFT"},
                                 {"on_input", "IA3"},
                                 {"diff", "full differences"},
                                 {"diff_b", "full differences"},
                                 {"w_norm", "trained norms"},
                                 {"b_norm", "trained norms"},
                                 {"lora_B.bias", "trained biases"}};

bool remove_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// "attn1.processor.to_out" + "_lora" of the old diffusers form to "attn1.to_out.0".
std::string plain_layer(std::string_view written, bool old_form, bool text) {
  std::string layer(written);
  constexpr std::string_view kProcessor = "processor.";
  if (const auto at = layer.find(kProcessor); at != std::string::npos) layer.erase(at, kProcessor.size());
  if (old_form && layer.ends_with("to_out")) layer += ".0";
  for (const auto& [from, to] : kTextProjections) {
    if (!text || !layer.ends_with(from)) continue;
    layer.resize(layer.size() - from.size());
    return layer += to;
  }
  return layer;
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::size_t kLongest = 160;
  std::string text(name.substr(0, kLongest));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name.size() > kLongest ? text + "..." : text;
}

std::string underscored(std::string_view dotted) {
  std::string text(dotted);
  std::ranges::replace(text, '.', '_');
  return text;
}

std::optional<LoraName> parse_lora_name(std::string_view name) {
  const auto* leaf = std::ranges::find_if(kLeaves, [&](const Leaf& l) { return name.ends_with(l.suffix); });
  if (leaf == std::end(kLeaves)) return std::nullopt;
  std::string_view rest = name.substr(0, name.size() - leaf->suffix.size());
  std::optional<AdapterPart> part;
  for (const Prefix& prefix : kPrefixes)
    if (!part && remove_prefix(rest, prefix.text)) part = prefix.part;
  remove_prefix(rest, "base_model.model.");  // PEFT's own wrapper, in files that it wrote itself
  if (!part) part = rest.starts_with("text_model.") ? AdapterPart::text_encoder : AdapterPart::unet;
  if (rest.empty()) return std::nullopt;
  const bool old_form = leaf->suffix.starts_with("_lora.");
  return LoraName{*part, underscored(plain_layer(rest, old_form, *part != AdapterPart::unet)), leaf->factor};
}

std::string_view unsupported_adapter(std::string_view name) {
  for (const auto& [word, kind] : kUnsupported) {
    const auto at = name.rfind(word);
    if (at == std::string_view::npos || at == 0 || name[at - 1] != '.') continue;
    if (word.ends_with('_') || at + word.size() == name.size()) return kind;
  }
  return {};
}

}  // namespace waggle::pipeline
