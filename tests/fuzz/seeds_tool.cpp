// Writes the first inputs of the fuzzers of the pipeline: small valid files of each kind, from the golden
// data and from the encoders. Usage: fuzz_seeds FOLDER GOLDEN_DATA
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/image/picture.h"
#include "tests/fuzz/seed_file.h"

namespace {

namespace fs = std::filesystem;
using namespace waggle;

using fuzz::write_seed;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The file for what reads tensors, and what the header's own fuzzer takes: see safetensors_fuzz.cpp.
void safetensors(const fs::path& dir, const char* name, const std::string& header, std::size_t bytes) {
  std::string file;
  for (int shift = 0; shift < 64; shift += 8) file += static_cast<char>(header.size() >> shift & 0xff);
  file += header + std::string(bytes, '\x3c');
  write_seed(dir / "weights" / name, file);
  write_seed(dir / "safetensors" / (std::string(name) + "-file"), '\0' + file);
  write_seed(dir / "safetensors" / name, std::string{'\1', static_cast<char>(bytes), '\0'} + header);
}

std::string entry(const std::string& name, const char* type, const std::string& shape, int begin, int end) {
  return '"' + name + R"(":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":[)" +
         std::to_string(begin) + ',' + std::to_string(end) + "]}";
}

void weights(const fs::path& dir) {
  safetensors(dir, "embedding", '{' + entry("emb_params", "F32", "[1,4]", 0, 16) + '}', 16);
  safetensors(
      dir, "sdxl-embedding",
      '{' + entry("clip_l", "F16", "[1,4]", 0, 8) + ',' + entry("clip_g", "BF16", "[1,4]", 8, 16) + '}', 16);
  const std::string layer = "lora_unet_down_blocks_0_attentions_0_proj_in.";
  safetensors(dir, "lora",
              '{' + entry(layer + "lora_down.weight", "F16", "[1,4]", 0, 8) + ',' +
                  entry(layer + "lora_up.weight", "F16", "[4,1]", 8, 16) + ',' +
                  entry(layer + "alpha", "F32", "[]", 16, 20) + '}',
              20);
  safetensors(dir, "loha",
              '{' + entry(layer + "hada_w1_a", "F16", "[4,1]", 0, 8) + ',' +
                  entry(layer + "hada_w1_b", "F16", "[1,4]", 8, 16) + ',' +
                  entry(layer + "hada_w2_a", "F16", "[4,1]", 16, 24) + ',' +
                  entry(layer + "hada_w2_b", "F16", "[1,4]", 24, 32) + '}',
              32);
  safetensors(dir, "checkpoint",
              "{\"__metadata__\":{\"format\":\"pt\"}," +
                  entry("model.diffusion_model.input_blocks.0.0.weight", "I8", "[1,4,1,1]", 0, 4) + ',' +
                  entry("cond_stage_model.model.ln_final.weight", "U8", "[2]", 4, 6) + '}',
              6);
  safetensors(
      dir, "names",
      '{' + entry("down_blocks.1.resnets.0.conv_shortcut.weight", "F64", "[0]", 0, 0) + ',' +
          entry("mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.bias", "BOOL", "[0]", 0, 0) + ',' +
          entry("text_model.encoder.layers.3.self_attn.q_proj.weight", "I16", "[0,3]", 0, 0) + '}',
      0);
  safetensors(dir, "empty", "{}", 0);
}

void configs(const fs::path& dir, const fs::path& golden) {
  const std::pair<char, const char*> files[] = {{'\0', "sd15/scheduler/scheduler_config.json"},
                                                {'\1', "sd15/unet/config.json"},
                                                {'\2', "controlnet-sd15/config.json"},
                                                {'\3', "sd15/vae/config.json"},
                                                {'\4', "sd15/text_encoder/config.json"}};
  for (const auto& [kind, file] : files)
    write_seed(dir / std::to_string(static_cast<int>(kind)), kind + read(golden / file));
  write_seed(dir / "5",
             '\5' + std::string(R"({"metadata":{"total_size":8},"weight_map":{"a":"x-1.safetensors"}})"));
}

void tokenizers(const fs::path& dir, const fs::path& golden) {
  const std::string zero(1, '\0');
  const fs::path real = golden / "sd15/tokenizer";
  write_seed(dir / "small",
             R"({"<|startoftext|>":0,"<|endoftext|>":1,"a":2,"a</w>":3,"b</w>":4,"ab</w>":5})" + zero +
                 "#version: 0.2\na b</w>\n" + zero + R"({"pad_token":"<|endoftext|>"})" + zero + "ab a");
  write_seed(dir / "golden", read(real / "vocab.json") + zero + read(real / "merges.txt") + zero +
                                 read(real / "special_tokens_map.json") + zero + "a red circle");
}

void pictures(const fs::path& dir) {
  pipeline::Picture picture;
  picture.width = 9, picture.height = 7;
  for (int i = 0; i < 9 * 7 * 3; ++i) picture.samples.push_back(static_cast<std::uint8_t>(i * 5));
  for (const OutputFormat format : {OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp}) {
    const fs::path of = dir / std::string(name(format));
    write_seed(of / "plain", pipeline::encode(picture, format));
    write_seed(of / "text", pipeline::encode(picture, format, {{"parameters", "a \xC3\xA9 b\nSteps: 2"}}));
  }
}

void prompts(const fs::path& dir) {
  const char* texts[] = {"a red circle, (soft:1.3), [dull], ((very)) \\(not\\) BREAK more",
                         "embedding:bad-hands-5, bad, <toy>, (style_2:0.5), embedding:gone.pt",
                         "((((((((((a:1.1):1.2):-3)))))]]]",
                         "&lt;b&gt; caf\xC3\xA9 \xE8\x9C\x82 \xF0\x9F\x90\x9D \xFF\xFE"};
  for (std::size_t i = 0; i < std::size(texts); ++i) write_seed(dir / std::to_string(i), texts[i]);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER GOLDEN_DATA\n");
    return 2;
  }
  const fs::path to = argv[1], golden = argv[2];
  weights(to);
  configs(to / "config", golden);
  tokenizers(to / "tokenizer", golden);
  pictures(to / "picture");
  prompts(to / "prompt");
  std::printf("%d seeds\n", fuzz::seeds_written);
  return 0;
}
