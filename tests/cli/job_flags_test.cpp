// From words on the command line to a request, and from a bad field back to the flag that set it.
#include "consumer/cli/job_flags.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "consumer/cli/private_folder.h"
#include "tests/schemas/tiny_picture.h"

using namespace waggle;
using namespace waggle::cli;

namespace {
JobFlags flags_with_prompt() {
  JobFlags flags;
  flags.prompt = "a fox";
  return flags;
}
}  // namespace

TEST_CASE("cli: a size is two numbers and a cross") {
  CHECK(parse_size("512x768").value() == std::pair(512, 768));
  CHECK(parse_size("64X64").value() == std::pair(64, 64));
  for (const char* text : {"", "x", "512", "512x", "x512", "512x768x3", "512 x 768", "0x10p", "99999999999x8",
                           "512,768", "5.5x6", "x512x"}) {
    INFO(text);
    const auto size = parse_size(text);
    REQUIRE_FALSE(size);
    CHECK(size.error().code == ErrorCode::invalid_request);
    CHECK(size.error().message.find("--size") == 0);
  }
}

TEST_CASE("cli: a LoRA carries its strength behind a colon") {
  CHECK(parse_lora("pencil").value() == Lora{"pencil", 1.0});
  CHECK(parse_lora("pencil:0.8").value() == Lora{"pencil", 0.8});
  CHECK(parse_lora("pencil:-1").value() == Lora{"pencil", -1.0});
  CHECK_FALSE(parse_lora("pencil:much"));
  CHECK_FALSE(parse_lora("pencil:"));
}

TEST_CASE("cli: what is not said stays open for the model to decide") {
  const auto request = to_request(flags_with_prompt(), "sd15", OutputFormat::png);
  REQUIRE(request);
  CHECK(request->model == "sd15");
  CHECK_FALSE(request->steps);
  CHECK_FALSE(request->guidance_scale);
  CHECK_FALSE(request->seed);
  CHECK_FALSE(request->has_negative_prompt);
  const auto& generation = std::get<ImageGeneration>(request->operation);
  CHECK_FALSE(generation.width);
  CHECK_FALSE(generation.height);
}

TEST_CASE("cli: an empty negative prompt is told from an absent one") {
  JobFlags flags = flags_with_prompt();
  flags.negative = "";
  const auto request = to_request(flags, "sd15", OutputFormat::png);
  REQUIRE(request);
  CHECK(request->has_negative_prompt);
}

TEST_CASE("cli: every bad field is reported by its flag, in one line") {
  JobFlags flags = flags_with_prompt();
  flags.steps = 0;
  flags.size = "513x512";
  flags.images = 1000;
  const auto request = to_request(flags, "sd15", OutputFormat::png);
  REQUIRE_FALSE(request);
  const std::string text = to_string(request.error());
  INFO(text);
  CHECK(text.find("--steps must be") != std::string::npos);
  CHECK(text.find("--size: the width must be") != std::string::npos);
  CHECK(text.find("-n must be") != std::string::npos);
  CHECK(text.find("/steps") == std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("cli: a mask or a strength without a picture to start from is refused") {
  JobFlags flags = flags_with_prompt();
  SECTION("mask") { flags.mask = "mask.png"; }
  SECTION("strength") { flags.strength = 0.5; }
  const auto request = to_request(flags, "sd15", OutputFormat::png);
  REQUIRE_FALSE(request);
  CHECK(request.error().message.find("--init") != std::string::npos);
}

TEST_CASE("cli: pictures make the operation") {
  const PrivateFolder folder("waggle-test-");
  const auto picture = folder.path() / "picture.png";
  std::ofstream(picture, std::ios::binary) << testing::tiny_png();
  JobFlags flags = flags_with_prompt();
  flags.init = picture.string();
  flags.strength = 0.25;
  SECTION("one picture: image to image") {
    const auto request = to_request(flags, "sd15", OutputFormat::png);
    REQUIRE(request);
    const auto& transform = std::get<ImageTransform>(request->operation);
    CHECK(std::get<std::string>(transform.input_image.source) == testing::tiny_png());
    CHECK(transform.strength == 0.25);
  }
  SECTION("two pictures: inpainting") {
    flags.mask = picture.string();
    const auto request = to_request(flags, "sd15", OutputFormat::png);
    REQUIRE(request);
    CHECK(std::get<ImageInpaint>(request->operation).strength == 0.25);
  }
  SECTION("a file that is not there is named") {
    flags.init = (folder.path() / "absent.png").string();
    const auto request = to_request(flags, "sd15", OutputFormat::png);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == ErrorCode::io_error);
    CHECK(request.error().message.find("absent.png") != std::string::npos);
  }
}

TEST_CASE("cli: a ControlNet is a name, a strength and a share of the steps, with a picture") {
  CHECK(parse_controlnet("canny")->path == "canny");
  const auto whole = parse_controlnet("canny:0.8:0.1:0.6");
  REQUIRE(whole);
  CHECK(whole->strength == 0.8);
  CHECK(whole->start == 0.1);
  CHECK(whole->end == 0.6);
  CHECK(parse_controlnet("canny:0.5")->end == 1.0);
  for (const char* text : {"canny:", "canny:x", "canny:1:", "canny:1:0:1:1", "canny:1:0:1:", "canny::0:1"})
    CHECK_FALSE(parse_controlnet(text));

  const PrivateFolder folder("waggle-test-");
  const auto picture = folder.path() / "picture.png";
  std::ofstream(picture, std::ios::binary) << testing::tiny_png();
  JobFlags flags = flags_with_prompt();
  flags.vae = "soft";
  flags.controlnets = {"canny:0.8", "depth"};
  flags.control_images = {picture.string()};
  const auto request = to_request(flags, "sd15", OutputFormat::png);
  REQUIRE(request);
  CHECK(request->vae == "soft");
  REQUIRE(request->controls.size() == 2);
  CHECK(std::get<std::string>(request->controls[1].image.source) == testing::tiny_png());
  flags.control_images = {};
  CHECK_FALSE(to_request(flags, "sd15", OutputFormat::png));
  flags.controlnets = {};
  flags.control_images = {picture.string()};
  CHECK_FALSE(to_request(flags, "sd15", OutputFormat::png));
  flags.control_images = {};
  flags.vae = "../soft";
  const auto refused = to_request(flags, "sd15", OutputFormat::png);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("--vae") != std::string::npos);
}

TEST_CASE("cli: what a job leaves out is said by flags, and what is wrong with it in terms of them") {
  const auto request_of = [](const ShortcutFlags& shortcuts) {
    JobFlags flags = flags_with_prompt();
    flags.shortcuts = shortcuts;
    return to_request(flags, "sd15", OutputFormat::png);
  };
  const auto request = request_of({"0.25:0.75", 3, 0.5});
  REQUIRE(request);
  CHECK(request->guidance_interval == Interval{0.25, 0.75});
  CHECK(request->deep_cache == 3);
  CHECK(request->token_merging == 0.5);
  const auto plain = request_of({});
  REQUIRE(plain);
  CHECK_FALSE(plain->guidance_interval);
  CHECK_FALSE(plain->deep_cache);
  CHECK_FALSE(plain->token_merging);

  const auto refusal = [&](const ShortcutFlags& shortcuts) {
    const auto refused = request_of(shortcuts);
    REQUIRE_FALSE(refused);
    return refused.error().message;
  };
  for (const char* text : {"", ":", "0.5", "0.2:", ":0.8", "0.2:0.8:1", "a:b", "0,2:0,8", "0.2: 0.8"})
    CHECK(refusal({.guidance_interval = text}).starts_with("--guidance-interval must be FROM:TO"));
  CHECK(refusal({.guidance_interval = "0.2:1.5"})
            .starts_with("--guidance-interval: the second number must be"));
  CHECK(refusal({.guidance_interval = "nan:1"}).starts_with("--guidance-interval: the first number must be"));
  CHECK(refusal({.guidance_interval = "0.8:0.2"}) == "--guidance-interval must not end before it begins");
  CHECK(refusal({{}, 0}).starts_with("--deep-cache must be between 1 and 20"));
  CHECK(refusal({{}, {}, 0.8}).starts_with("--token-merging must be between 0 and 0.75"));
}
