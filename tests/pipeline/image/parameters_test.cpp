// The parameters text, written and read.
#include "pipeline/image/parameters.h"

#include <string>

#include <catch2/catch.hpp>

using namespace waggle::pipeline;
using waggle::JobRequest;

namespace {

JobRequest request() {
  JobRequest job;
  job.model = "sd15";
  job.prompt = "a photo of a cat";
  job.negative_prompt = "blurry, dark";
  job.steps = 20;
  job.guidance_scale = 7.5;
  job.sampler = "euler_ancestral";
  return job;
}

}  // namespace

TEST_CASE("parameters: the form that AUTOMATIC1111 readers parse") {
  CHECK(a1111_parameters(request(), 42, 512, 768, "0.1.0") ==
        "a photo of a cat\nNegative prompt: blurry, dark\n"
        "Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Size: 512x768, Model: sd15, Version: waggle "
        "0.1.0");
}

TEST_CASE("parameters: what a job does not have is left out, what it has beyond that is added") {
  JobRequest job = request();
  job.negative_prompt.clear();
  job.guidance_scale = 7;
  job.schedule = "karras";
  job.clip_skip = 2;
  job.guidance_interval = waggle::Interval{0.2, 0.8};
  job.deep_cache = 3;
  job.token_merging = 0.5;
  job.loras = {{.path = "styles/ink.safetensors", .strength = 0.8}};
  job.operation = waggle::ImageTransform{.input_image = {}, .strength = 0.33, .width = {}, .height = {}};
  CHECK(
      a1111_parameters(job, 1, 64, 64, "0.1.0") ==
      "a photo of a cat <lora:styles/ink:0.8>\n"
      "Steps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 64x64, Model: sd15, "
      "Denoising strength: 0.33, Clip skip: 3, Guidance interval: 0.2-0.8, Deep cache: 3, Token merging "
      "ratio: 0.5, Version: waggle 0.1.0");
  CHECK(
      a1111_parameters(job, 1, 64, 64, "0.1.0", "int8").ends_with(", Weights: int8, Version: waggle 0.1.0"));
}

TEST_CASE("parameters: a second pass and a refiner, as AUTOMATIC1111 writes them") {
  JobRequest job = request();
  waggle::Hires hires;
  hires.width = 1024;
  hires.height = 1536;
  hires.steps = 10;
  hires.upscaler = waggle::Upscaler::latent_bicubic;
  hires.strength = 0.45;
  job.operation = waggle::ImageGeneration{512, 768, hires};
  job.refiner = waggle::Refiner{"sdxl-refiner", 0.8};
  const std::string text = a1111_parameters(job, 42, 512, 768, "0.1.0");
  CHECK(text.find(
            "Size: 512x768, Model: sd15, Denoising strength: 0.45, Hires upscale: 2, Hires steps: 10, "
            "Hires upscaler: Latent (bicubic), Refiner: sdxl-refiner, Refiner switch at: 0.8, Version: ") !=
        std::string::npos);
  std::get<waggle::ImageGeneration>(job.operation).hires->height = 1024;
  CHECK(a1111_parameters(job, 42, 512, 768, "0.1.0").find("Hires resize: 1024x1024") != std::string::npos);
}

TEST_CASE("parameters: values with commas or colons are quoted, and come back") {
  JobRequest job = request();
  job.model = "my \"model\", v2: \\ x";
  const std::string text = a1111_parameters(job, 1, 64, 64, "0.1.0");
  CHECK(text.find(R"(Model: "my \"model\", v2: \\ x")") != std::string::npos);
  const auto parsed = parse_a1111_parameters(text);
  REQUIRE(parsed.has_value());
  CHECK(parsed.value().find("Model") == job.model);
}

TEST_CASE("parameters: what was written is what is read") {
  JobRequest job = request();
  job.prompt = "first line\nsecond: line, with (weights:1.2)\n\n猫";
  job.negative_prompt = "one\ntwo";
  const auto parsed = parse_a1111_parameters(a1111_parameters(job, -1, 512, 512, "0.1.0"));
  REQUIRE(parsed.has_value());
  CHECK(parsed.value().prompt == job.prompt);
  CHECK(parsed.value().negative_prompt == job.negative_prompt);
  CHECK(parsed.value().find("Steps") == "20");
  CHECK(parsed.value().find("Sampler") == "Euler a");
  CHECK(parsed.value().find("Seed") == "-1");
  CHECK(parsed.value().find("Size") == "512x512");
  CHECK_FALSE(parsed.value().find("Clip skip").has_value());
}

TEST_CASE("parameters: texts of other programs") {
  const auto parsed = parse_a1111_parameters(
      "cat <lora:ink:1>\r\nNegative prompt: dog\r\nSteps: 30, Sampler: DPM++ 2M Karras, CFG scale: 5.5, "
      "Seed: 7, "
      "Lora hashes: \"ink: abc, b: def\", Model hash: 6ce0161689, TI: \"unfinished");
  REQUIRE(parsed.has_value());
  CHECK(parsed.value().prompt == "cat <lora:ink:1>");
  CHECK(parsed.value().negative_prompt == "dog");
  CHECK(parsed.value().find("Sampler") == "DPM++ 2M Karras");
  CHECK(parsed.value().find("Lora hashes") == "ink: abc, b: def");
  CHECK(parsed.value().find("Model hash") == "6ce0161689");
}

TEST_CASE("parameters: a prompt alone, and no prompt at all") {
  CHECK(parse_a1111_parameters("just a cat: nice, 5:3").value().prompt == "just a cat: nice, 5:3");
  CHECK(parse_a1111_parameters("").value().prompt.empty());
  CHECK(parse_a1111_parameters("Negative prompt: x").value().negative_prompt == "x");
  const auto settings_only = parse_a1111_parameters("Steps: 1, Seed: 2, Size: 8x8");
  CHECK(settings_only.value().prompt.empty());
  CHECK(settings_only.value().find("Size") == "8x8");
  REQUIRE_FALSE(parse_a1111_parameters("\xFF").has_value());
}

TEST_CASE("parameters: any text of colons, commas and quotes is read to its end") {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    std::string text;
    for (unsigned i = 0, state = seed * 2654435761u; i < seed % 60;
         ++i, state = state * 1664525u + 1013904223u) {
      text.push_back(":, \"\\\nab"[state >> 29]);
    }
    CAPTURE(text);
    REQUIRE(parse_a1111_parameters(text).has_value());
  }
}
