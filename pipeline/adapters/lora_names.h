// The names in LoRA files, read into one form.
//
// Trainers write the same layer in several ways (kohya, diffusers old and new, PEFT). All become a part of
// the model, a layer in kohya's spelling (dots as underscores) and the factor that the tensor is. Which
// layers a model has is not known here; a UNet layer may be spelled as diffusers or as the original
// checkpoints name it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace waggle::pipeline {

enum class AdapterPart { unet, text_encoder, text_encoder_2 };

/// What a tensor is in the product that is added to a weight. `hada_*` belong to LoHa, `mid` and `hada_t*` to
/// the Tucker form of a convolution.
enum class Factor { down, up, mid, hada_w1_a, hada_w1_b, hada_w2_a, hada_w2_b, hada_t1, hada_t2, alpha };
inline constexpr std::size_t kFactors = 10;

struct LoraName {
  AdapterPart part;
  std::string layer;  ///< "down_blocks_0_attentions_0_proj_in", "input_blocks_1_1_proj_in"
  Factor factor;
  bool operator==(const LoraName&) const = default;
};

/// Nothing: the name is none of a LoRA, LoCon or LoHa.
std::optional<LoraName> parse_lora_name(std::string_view name);

/// The kind of adapter that a name belongs to, when it is one that is known and not supported ("DoRA");
/// else empty.
std::string_view unsupported_adapter(std::string_view name);

/// A name out of a file as it may stand in a message: short, one line, ASCII.
std::string printable(std::string_view name);

/// A dotted layer name in kohya's spelling.
std::string underscored(std::string_view dotted);

}  // namespace waggle::pipeline
