// What pictures of this program and of AUTOMATIC1111 say, in every format and every encoding that is met.
#include "consumer/cli/inspect/recipe.h"

#include <catch2/catch.hpp>

#include "pipeline/image/codecs.h"
#include "pipeline/image/exif.h"
#include "pipeline/image/parameters.h"
#include "schemas/codec/json.h"

using namespace waggle;
using namespace waggle::cli;
using namespace std::string_literals;

namespace {

pipeline::Picture grey_square() {
  return {.width = 8, .height = 8, .channels = 3, .samples = std::vector<std::uint8_t>(192, 128)};
}

Result<Recipe> recipe_in(std::string_view file) {
  auto texts = pipeline::read_text(file);
  REQUIRE(texts);
  return recipe_of(*texts);
}

JobRequest a_job() {
  JobRequest job;
  job.model = "sd15";
  job.prompt = "a <b> & \"c\", 日本\nsecond line";
  job.negative_prompt = "blurry";
  job.has_negative_prompt = true;
  job.steps = 7;
  job.guidance_scale = 6.5;
  job.seed = 40;
  job.sampler = "dpmpp_2m";
  job.schedule = "karras";
  job.clip_skip = 1;
  job.guidance_interval = Interval{0.125, 0.8};
  job.deep_cache = 3;
  job.token_merging = 0.5;
  job.loras = {{"ink.safetensors", 0.8}};
  job.n = 4;
  job.priority = 3;
  job.tenant = "me";
  job.idempotency_key = "k";
  job.operation = ImageGeneration{64, 96};
  return job;
}

pipeline::TextFields texts_of(const JobRequest& job, std::int64_t seed) {
  return {{"parameters", pipeline::a1111_parameters(job, seed, 64, 96, "0.1.0")},
          {"waggle", codec::to_json(job)}};
}

/// A TIFF structure with one UserComment, little-endian, as many other programs write it.
std::string little_endian_comment(const std::string& comment) {
  const auto u16 = [](unsigned value) {
    return std::string{static_cast<char>(value & 255), static_cast<char>(value >> 8)};
  };
  const auto u32 = [&](std::size_t value) {
    return u16(value & 0xFFFF) + u16(static_cast<unsigned>(value >> 16));
  };
  return "II*\0"s + u32(8) + u16(1) + u16(0x8769) + u16(4) + u32(1) + u32(26) + u32(0) + u16(1) +
         u16(0x9286) + u16(7) + u32(comment.size()) + u32(44) + u32(0) + comment;
}

constexpr const char* kText =
    "a fox <lora:ink:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 123, Size: 512x768, Model hash: 1234, Model: "
    "dream, "
    "Clip skip: 2, Version: v1.6.0";

}  // namespace

TEST_CASE("recipe: a picture of this program gives back its job, in every format") {
  const OutputFormat format = GENERATE(OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp);
  const JobRequest job = a_job();
  const auto recipe = recipe_in(pipeline::encode(grey_square(), format, texts_of(job, 42)));
  REQUIRE(recipe);
  CHECK(recipe->program == "waggle 0.1.0");
  JobRequest wanted = job;
  wanted.seed = 42;  // of this picture, the third of the job
  wanted.n = 1;
  wanted.priority = 0;
  wanted.tenant.reset();
  wanted.idempotency_key.reset();
  CHECK(recipe->request == wanted);
}

TEST_CASE("recipe: the precision of the weights is told beside the job where it moved the picture") {
  const JobRequest job = a_job();
  CHECK(recipe_of(texts_of(job, 42))->other.empty());
  pipeline::TextFields texts = texts_of(job, 42);
  texts[0].second = pipeline::a1111_parameters(job, 42, 64, 96, "0.1.0", "int8");
  const auto whole = recipe_of(texts);
  REQUIRE(whole);
  CHECK(whole->other == std::vector<std::pair<std::string, std::string>>{{"Weights", "int8"}});
  texts.pop_back();  // a format or a program that dropped the job
  const auto text_alone = recipe_of(texts);
  REQUIRE(text_alone);
  CHECK(text_alone->other == whole->other);
}

TEST_CASE("recipe: a picture of this program that lost its JSON is still understood by its parameters") {
  auto texts = texts_of(a_job(), 42);
  texts.pop_back();
  const auto recipe = recipe_in(pipeline::encode(grey_square(), OutputFormat::webp, texts));
  REQUIRE(recipe);
  CHECK(recipe->request.prompt == a_job().prompt);
  CHECK(recipe->request.sampler == "dpmpp_2m");
  CHECK(recipe->request.schedule == "karras");
  CHECK(recipe->request.clip_skip == 1);
  CHECK(recipe->request.guidance_interval == Interval{0.125, 0.8});
  CHECK(recipe->request.deep_cache == 3);
  CHECK(recipe->request.token_merging == 0.5);
  CHECK(recipe->request.loras == a_job().loras);
  CHECK(std::get<ImageGeneration>(recipe->request.operation) == ImageGeneration{64, 96});
}

TEST_CASE("recipe: AUTOMATIC1111's text, whichever way it is stored") {
  const std::string text = kText;
  std::string utf16_little;
  for (const char c : text) utf16_little += {c, '\0'};
  const std::vector<std::string> files{
      pipeline::encode_png(grey_square(), {{"parameters", text}}),
      pipeline::encode_jpeg(grey_square(), {pipeline::exif::with_user_comment(text), ""}),
      pipeline::encode_webp(grey_square(), {pipeline::exif::with_user_comment(text), ""}),
      pipeline::encode_jpeg(grey_square(), {little_endian_comment("UNICODE\0"s + utf16_little), ""}),
      pipeline::encode_jpeg(grey_square(), {little_endian_comment("UNICODE\0"s + text), ""}),
      pipeline::encode_jpeg(grey_square(), {little_endian_comment("ASCII\0\0\0"s + text + "\0"s), ""}),
      pipeline::encode_webp(grey_square(), {little_endian_comment(std::string(8, '\0') + text), ""}),
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO("file " << i);
    const auto recipe = recipe_in(files[i]);
    REQUIRE(recipe);
    CHECK(recipe->program == "AUTOMATIC1111");
    const JobRequest& job = recipe->request;
    CHECK(job.prompt == "a fox");
    CHECK(job.negative_prompt == "blurry");
    CHECK(job.steps == 20);
    CHECK(job.sampler == "dpmpp_2m");
    CHECK(job.schedule == "karras");
    CHECK(job.guidance_scale == 7);
    CHECK(job.seed == 123);
    CHECK(job.model == "dream");
    CHECK(job.clip_skip == 1);
    CHECK(job.loras == std::vector<Lora>{{"ink.safetensors", 0.8}});
    CHECK(std::get<ImageGeneration>(job.operation) == ImageGeneration{512, 768});
    CHECK(recipe->other == std::vector<std::pair<std::string, std::string>>{{"Model hash", "1234"}});
  }
}

TEST_CASE("recipe: samplers and schedules of newer and older texts") {
  const auto choice = [](const std::string& settings) {
    const auto parsed = pipeline::parse_a1111_parameters("x\nSteps: 1, " + settings + ", Seed: 1");
    REQUIRE(parsed);
    return pipeline::sampler_choice(*parsed);
  };
  using Choice = pipeline::SamplerChoice;
  CHECK(choice("Sampler: Euler a") == Choice{"euler_ancestral", std::nullopt});
  CHECK(choice("Sampler: DPM++ 2M, Schedule type: Karras") == Choice{"dpmpp_2m", "karras"});
  CHECK(choice("Sampler: DPM++ 2M SDE Exponential") == Choice{"dpmpp_2m_sde", "exponential"});
  CHECK(choice("Sampler: Euler, Schedule type: Automatic") == Choice{"euler", std::nullopt});
  CHECK(choice("Sampler: Restart Karras").sampler == "Restart Karras");
}

TEST_CASE("recipe: LoRA tags are taken out of a prompt, other angle brackets stay") {
  using pipeline::take_loras;
  CHECK(take_loras("a <lora:x:0.5> b <lora:y> c").second ==
        std::vector<Lora>{{"x.safetensors", 0.5}, {"y.safetensors", 1.0}});
  CHECK(take_loras("a <b> <lora:> <lora::1> <lora:x:much> <lora:").first ==
        "a <b> <lora:> <lora::1> <lora:x:much> <lora:");
  CHECK(take_loras("<lora:x:0.5:0.7>").second == std::vector<Lora>{{"x.safetensors", 0.5}});
}

TEST_CASE("recipe: image to image says that it needs the other picture") {
  const auto recipe = recipe_in(pipeline::encode_png(
      grey_square(),
      {{"parameters", "x\nSteps: 20, Sampler: Euler, Seed: 1, Size: 64x64, Denoising strength: 0.4"}}));
  REQUIRE(recipe);
  REQUIRE(std::holds_alternative<ImageTransform>(recipe->request.operation));
  CHECK(std::get<ImageTransform>(recipe->request.operation).strength == 0.4);
}

TEST_CASE("recipe: a picture without parameters is told so, one with a broken job too") {
  const auto none = recipe_in(pipeline::encode_png(grey_square(), {{"Software", "paint"}}));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  for (const char* job : {"", "{", "[]", "{\"prompt\": 3}", "{\"operation\":\"dance\"}"}) {
    const auto broken = recipe_in(pipeline::encode_png(grey_square(), {{"waggle", job}}));
    REQUIRE_FALSE(broken);
    CHECK(broken.error().code == ErrorCode::unsupported_media);
  }
}
