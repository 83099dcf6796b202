// The namings that LoRA files come in.
#include "pipeline/adapters/lora_names.h"

#include <string>

#include <catch2/catch.hpp>

using namespace waggle::pipeline;

TEST_CASE("lora names: every trainer's spelling of a layer is the same layer") {
  struct Row {
    const char* written;
    AdapterPart part;
    const char* layer;
    Factor factor;
  };
  const std::string q = "down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q";
  const std::string out = "down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0";
  const std::string text = "text_model_encoder_layers_3_self_attn_q_proj";
  using enum AdapterPart;
  const Row rows[] = {
      // kohya
      {"lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q.lora_down.weight", unet,
       q.c_str(), Factor::down},
      {"lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_out_0.lora_up.weight", unet,
       out.c_str(), Factor::up},
      {"lora_unet_down_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q.alpha", unet, q.c_str(),
       Factor::alpha},
      {"lora_te_text_model_encoder_layers_3_self_attn_q_proj.lora_down.weight", text_encoder, text.c_str(),
       Factor::down},
      {"lora_te1_text_model_encoder_layers_3_self_attn_q_proj.lora_down.weight", text_encoder, text.c_str(),
       Factor::down},
      {"lora_te2_text_model_encoder_layers_3_self_attn_q_proj.lora_up.weight", text_encoder_2, text.c_str(),
       Factor::up},
      {"lora_unet_input_blocks_4_1_proj_in.lora_mid.weight", unet, "input_blocks_4_1_proj_in", Factor::mid},
      // LyCORIS
      {"lora_unet_mid_block_resnets_0_conv1.hada_w1_a", unet, "mid_block_resnets_0_conv1", Factor::hada_w1_a},
      {"lora_unet_mid_block_resnets_0_conv1.hada_t2", unet, "mid_block_resnets_0_conv1", Factor::hada_t2},
      // diffusers, old
      {"unet.down_blocks.0.attentions.1.transformer_blocks.0.attn1.processor.to_q_lora.down.weight", unet,
       q.c_str(), Factor::down},
      {"unet.down_blocks.0.attentions.1.transformer_blocks.0.attn1.processor.to_out_lora.up.weight", unet,
       out.c_str(), Factor::up},
      {"down_blocks.0.attentions.1.transformer_blocks.0.attn1.processor.to_q_lora.down.weight", unet,
       q.c_str(), Factor::down},
      {"text_encoder.text_model.encoder.layers.3.self_attn.q_proj.lora_linear_layer.down.weight",
       text_encoder, text.c_str(), Factor::down},
      {"text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora.up.weight", text_encoder, text.c_str(),
       Factor::up},
      {"text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora.up.weight", text_encoder,
       "text_model_encoder_layers_3_self_attn_out_proj", Factor::up},
      // diffusers, new
      {"unet.down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_out.0.lora.up.weight", unet,
       out.c_str(), Factor::up},
      {"unet.down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.lora.alpha", unet, q.c_str(),
       Factor::alpha},
      // PEFT
      {"unet.down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.lora_A.weight", unet, q.c_str(),
       Factor::down},
      {"text_encoder_2.text_model.encoder.layers.3.self_attn.q_proj.lora_B.weight", text_encoder_2,
       text.c_str(), Factor::up},
      {"base_model.model.down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.lora_A.default.weight",
       unet, q.c_str(), Factor::down},
      {"base_model.model.text_model.encoder.layers.3.self_attn.q_proj.lora_B.weight", text_encoder,
       text.c_str(), Factor::up},
  };
  for (const Row& row : rows) {
    INFO(row.written);
    const auto name = parse_lora_name(row.written);
    REQUIRE(name);
    CHECK(name->part == row.part);
    CHECK(name->layer == row.layer);
    CHECK(name->factor == row.factor);
  }
}

TEST_CASE("lora names: what is none is nothing, and does not crash") {
  for (const char* name :
       {"", ".", ".alpha", "lora_unet_.alpha", "lora_unet_.lora_down.weight", "unet.", "down_blocks.0.weight",
        "lora_down.weight", "emb_params", "clip_l", "unet.conv_in.weight", "lora_unet_conv_in.lora_down"}) {
    INFO(name);
    CHECK_FALSE(parse_lora_name(name));
  }
}

TEST_CASE("lora names: adapters of other kinds are called by their name") {
  CHECK(unsupported_adapter("lora_unet_conv_in.dora_scale") == "DoRA");
  CHECK(unsupported_adapter("lora_unet_conv_in.lokr_w1") == "LoKr");
  CHECK(unsupported_adapter("lora_unet_conv_in.diff_b") == "full differences");
  CHECK(unsupported_adapter("unet.conv_in.lora_magnitude_vector.weight") == "DoRA");
  CHECK(unsupported_adapter("unet.conv_in.lora_B.bias") == "trained biases");
  for (const char* name :
       {"", "diff", "lora_unet_conv_in.lora_down.weight", "model.diffusion_model.out.2.bias"})
    CHECK(unsupported_adapter(name).empty());
}

TEST_CASE("lora names: a name in a message is short and one line") {
  CHECK(printable("a\nb\xC3\xBC\x7F") == "a?b???");
  CHECK(printable(std::string(5000, 'x')).size() < 200);
}
