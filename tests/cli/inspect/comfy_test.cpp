// ComfyUI's graphs, well formed and not.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/inspect/recipe.h"
#include "pipeline/image/codecs.h"

using namespace waggle;
using namespace waggle::cli;
using namespace std::string_literals;

namespace {

const std::string kGraph = R"({
  "3": {"class_type": "KSampler", "inputs": {"seed": 8566257, "steps": 21, "cfg": 6.5, "sampler_name": "dpm_2_ancestral",
        "scheduler": "karras", "denoise": 1, "model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
  "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
  "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
  "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["20", 0], "clip": ["10", 1]}, "is_changed": [NaN]},
  "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
  "9": {"class_type": "LoraLoader", "inputs": {"lora_name": "one.safetensors", "strength_model": 0.5, "model": ["4", 0], "clip": ["4", 1]}},
  "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "two.safetensors", "strength_model": -1, "model": ["9", 0], "clip": ["9", 1]}},
  "20": {"class_type": "PrimitiveNode", "inputs": {"text": "a NaN fox"}}
})";

pipeline::Picture a_pixel() { return {.width = 1, .height = 1, .channels = 3, .samples = {1, 2, 3}}; }

/// A TIFF structure whose Make and Model are these texts.
std::string make_and_model(const std::string& make, const std::string& model) {
  const auto u16 = [](std::size_t value) {
    return std::string{static_cast<char>(value >> 8), static_cast<char>(value & 255)};
  };
  const auto u32 = [&](std::size_t value) { return u16(value >> 16) + u16(value & 0xFFFF); };
  const std::size_t at = 8 + 2 + 2 * 12 + 4;
  return "MM\0*"s + u32(8) + u16(2) + u16(0x010F) + u16(2) + u32(make.size()) + u32(at) + u16(0x0110) +
         u16(2) + u32(model.size()) + u32(at + make.size()) + u32(0) + make + model;
}

}  // namespace

TEST_CASE("comfy: a graph of text to image is read through its links") {
  const auto recipe = recipe_of_comfy(kGraph);
  REQUIRE(recipe);
  const JobRequest& job = recipe->request;
  CHECK(recipe->program == "ComfyUI");
  CHECK(job.prompt == "a NaN fox");
  CHECK(job.negative_prompt == "blurry");
  CHECK(job.seed == 8566257);
  CHECK(job.steps == 21);
  CHECK(job.guidance_scale == 6.5);
  CHECK(job.sampler == "dpm2_ancestral");
  CHECK(job.schedule == "karras");
  CHECK(job.model == "dream.safetensors");
  CHECK(job.loras == std::vector<Lora>{{"one.safetensors", 0.5}, {"two.safetensors", -1}});
  CHECK(std::get<ImageGeneration>(job.operation) == ImageGeneration{512, 768});
}

TEST_CASE("comfy: PNG keeps the graph as a text, WebP in the fields of a camera") {
  const std::string png = pipeline::encode_png(a_pixel(), {{"workflow", "{}"}, {"prompt", kGraph}});
  const std::string webp = pipeline::encode_webp(
      a_pixel(), {make_and_model("Workflow:{}\0"s, std::string("prompt:").append(kGraph)), ""});
  for (const std::string& file : {png, webp}) {
    const auto texts = pipeline::read_text(file);
    REQUIRE(texts);
    CHECK(texts->size() == 2);
    const auto recipe = recipe_of(*texts);
    REQUIRE(recipe);
    CHECK(recipe->request.steps == 21);
  }
}

TEST_CASE("comfy: loops, missing nodes and absurd nesting end in an answer") {
  CHECK(recipe_of_comfy(
      R"({"1":{"class_type":"KSampler","inputs":{"model":["1",0],"positive":["2",0],"seed":["1",0]}},
                            "2":{"class_type":"X","inputs":{"a":["2",0],"b":["3",0],"c":["9",0]}},
                            "3":{"class_type":"Y","inputs":{"a":["2",0]}}})"));
  CHECK_FALSE(recipe_of_comfy(std::string(3'000'000, '[')));
  CHECK_FALSE(recipe_of_comfy(std::string(100'000, '{')));
  CHECK_FALSE(recipe_of_comfy(std::string(5'000'000, ' ')));
  CHECK(recipe_of_comfy("{}").error().code == ErrorCode::not_found);
  for (const char* text :
       {"", "null", "3", "\"", "{\"1\":3}", "{\"1\":{\"class_type\":\"KSampler\"}}", "\xff"})
    CHECK_FALSE(recipe_of_comfy(text));
}

TEST_CASE("comfy: a graph in which any value is replaced by any kind of value ends in an answer") {
  std::string plain = kGraph;
  plain.erase(plain.find("NaN]"), 3);
  const auto graph = nlohmann::json::parse(plain).flatten();
  for (const auto& [path, value] : graph.items()) {
    for (const char* other : {"null", "true", "-1", "1e300", "18446744073709551615", "\"x\"", "[]",
                              "[\"3\",0]", "[\"3\"]", "{}"}) {
      auto changed = nlohmann::json::parse(plain);
      changed[nlohmann::json::json_pointer(path)] = nlohmann::json::parse(other);
      INFO(path << " = " << other);
      const auto recipe = recipe_of_comfy(changed.dump());
      CHECK((recipe || !recipe.error().message.empty()));
    }
  }
}
