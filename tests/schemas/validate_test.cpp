// Each field at its borders and just beyond them; then everything wrong at once.
#include "schemas/validate.h"

#include <cmath>
#include <functional>
#include <limits>

#include <catch2/catch.hpp>

#include "schemas/limits.h"
#include "tests/schemas/tiny_picture.h"

namespace waggle {

namespace {

using namespace limits;
using Change = std::function<void(JobRequest&)>;

JobRequest good() {
  JobRequest job;
  job.model = "sd15";
  job.prompt = "a bee";
  return job;
}

std::vector<std::string> paths_after(const Change& change) {
  JobRequest job = good();
  change(job);
  std::vector<std::string> paths;
  for (const FieldError& error : validate(job)) {
    CHECK_FALSE(error.message.empty());
    paths.push_back(error.path);
  }
  return paths;
}

void accepts(const Change& change) { CHECK(paths_after(change) == std::vector<std::string>{}); }
void refuses(const std::string& path, const Change& change) {
  CHECK(paths_after(change) == std::vector<std::string>{path});
}

JobRequest transform(PictureInput picture) {
  JobRequest job = good();
  job.operation = ImageTransform{std::move(picture), 0.8, {}, {}};
  return job;
}

const BlobId kBlob{"sha256:" + std::string(64, '0')};

}  // namespace

TEST_CASE("validate: a good request has no errors") { CHECK(validate(good()).empty()); }

TEST_CASE("validate: numbers are accepted at both borders and refused beyond them") {
  for (const int steps : {kMinSteps, kMaxSteps}) accepts([&](JobRequest& job) { job.steps = steps; });
  for (const int steps : {0, -1, kMaxSteps + 1})
    refuses("/steps", [&](JobRequest& job) { job.steps = steps; });
  for (const double scale : {kMinGuidance, kMaxGuidance})
    accepts([&](JobRequest& job) { job.guidance_scale = scale; });
  for (const double scale : {-0.1, 50.1, std::numeric_limits<double>::quiet_NaN()}) {
    refuses("/guidance_scale", [&](JobRequest& job) { job.guidance_scale = scale; });
  }
  for (const int skip : {0, kMaxClipSkip}) accepts([&](JobRequest& job) { job.clip_skip = skip; });
  for (const int skip : {-1, kMaxClipSkip + 1})
    refuses("/clip_skip", [&](JobRequest& job) { job.clip_skip = skip; });
  for (const int n : {1, kMaxImagesPerJob}) accepts([&](JobRequest& job) { job.n = n; });
  for (const int n : {0, kMaxImagesPerJob + 1}) refuses("/n", [&](JobRequest& job) { job.n = n; });
  for (const int every : {1, kMaxPreviewEvery}) accepts([&](JobRequest& job) { job.preview_every = every; });
  for (const int every : {0, kMaxPreviewEvery + 1})
    refuses("/preview_every", [&](JobRequest& job) { job.preview_every = every; });
  for (const int priority : {kMinPriority, kMaxPriority})
    accepts([&](JobRequest& job) { job.priority = priority; });
  for (const int priority : {kMinPriority - 1, kMaxPriority + 1})
    refuses("/priority", [&](JobRequest& job) { job.priority = priority; });
  for (const int attempts : {1, kMaxAttempts}) accepts([&](JobRequest& job) { job.max_attempts = attempts; });
  for (const int attempts : {0, kMaxAttempts + 1})
    refuses("/max_attempts", [&](JobRequest& job) { job.max_attempts = attempts; });
  for (const double deadline : {0.001, kMaxDeadlineSeconds})
    accepts([&](JobRequest& job) { job.deadline_s = deadline; });
  for (const double deadline : {0.0, -1.0, kMaxDeadlineSeconds + 1})
    refuses("/deadline_s", [&](JobRequest& job) { job.deadline_s = deadline; });
}

TEST_CASE("validate: what a job leaves out is in range, and no deep cache stands beside a ControlNet") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Interval good : {Interval{0, 1}, Interval{0.5, 0.5}, Interval{0, 0}, Interval{1, 1}})
    accepts([&](JobRequest& job) { job.guidance_interval = good; });
  for (const double bad : {-0.01, 1.01, nan, std::numeric_limits<double>::infinity()}) {
    refuses("/guidance_interval/0", [&](JobRequest& job) { job.guidance_interval = Interval{bad, 1}; });
    refuses("/guidance_interval/1", [&](JobRequest& job) { job.guidance_interval = Interval{0, bad}; });
  }
  refuses("/guidance_interval", [](JobRequest& job) { job.guidance_interval = Interval{0.6, 0.5}; });
  for (const int every : {1, kMaxDeepCache}) accepts([&](JobRequest& job) { job.deep_cache = every; });
  for (const int every : {0, -1, kMaxDeepCache + 1, std::numeric_limits<int>::max()})
    refuses("/deep_cache", [&](JobRequest& job) { job.deep_cache = every; });
  for (const double share : {0.0, kMaxTokenMerging})
    accepts([&](JobRequest& job) { job.token_merging = share; });
  for (const double share : {-0.1, 0.76, nan})
    refuses("/token_merging", [&](JobRequest& job) { job.token_merging = share; });
  const auto controlled = [](int every) {
    return [every](JobRequest& job) {
      job.controls = {{"canny", PictureInput{kBlob}}};
      job.deep_cache = every;
    };
  };
  accepts(controlled(1));
  refuses("/deep_cache", controlled(2));
}

TEST_CASE("validate: the seed of the last image counts too") {
  accepts([](JobRequest& job) { job.seed = 0; });
  accepts([](JobRequest& job) { job.seed = kMaxSeed; });
  accepts([](JobRequest& job) { job.seed = kMaxSeed - 3, job.n = 4; });
  refuses("/seed", [](JobRequest& job) { job.seed = kMaxSeed - 2, job.n = 4; });
  refuses("/seed", [](JobRequest& job) { job.seed = -1; });
  refuses("/seed", [](JobRequest& job) { job.seed = std::numeric_limits<std::int64_t>::max(), job.n = 64; });
}

TEST_CASE("validate: sides are in range and whole latent cells") {
  const auto size = [](std::optional<int> width, std::optional<int> height) {
    return [=](JobRequest& job) { job.operation = ImageGeneration{width, height}; };
  };
  accepts(size(kMinSide, kMaxSide));
  accepts(size(kMaxSide, kMaxSide));
  accepts(size(512, {}));
  refuses("/width", size(513, 512));
  refuses("/height", size(512, 4));
  refuses("/width", size(100'000, 8 * 64));
  CHECK(paths_after(size(100'000, 8)) == std::vector<std::string>{"/width", "/height"});
  refuses("/width", size(std::numeric_limits<int>::max(), {}));
}

TEST_CASE("validate: the message states the range and what was given") {
  JobRequest job = good();
  job.steps = 0;
  CHECK(validate(job).at(0) == FieldError{"/steps", "must be between 1 and 500, is 0"});
  CHECK(validate(job, "/jobs/3").at(0).path == "/jobs/3/steps");
}

TEST_CASE("validate: prompts may be long, in any script and on many lines, but not too long nor broken") {
  accepts([](JobRequest& job) { job.prompt = std::string(kMaxPromptBytes, 'x'); });
  accepts([](JobRequest& job) { job.prompt = ""; });
  accepts([](JobRequest& job) { job.prompt = "蜂\n\t🐝"; });
  refuses("/prompt", [](JobRequest& job) { job.prompt = std::string(1 << 20, 'x'); });
  refuses("/prompt", [](JobRequest& job) { job.prompt = "\xff"; });
  refuses("/negative_prompt", [](JobRequest& job) { job.negative_prompt = std::string("\0", 1); });
}

TEST_CASE("validate: names are short, not empty, and cannot leave their place") {
  for (const std::string& model :
       {std::string(), std::string(kMaxNameBytes + 1, 'm'), std::string("/etc/passwd"),
        std::string("@worker"), std::string("a/../b"), std::string(".."), std::string("a\nb")}) {
    INFO(model);
    refuses("/model", [&](JobRequest& job) { job.model = model; });
  }
  accepts([](JobRequest& job) { job.model = "stabilityai/sd-turbo"; });
  accepts([](JobRequest& job) { job.model = "a..b"; });
  refuses("/sampler", [](JobRequest& job) { job.sampler = ""; });
  refuses("/schedule", [](JobRequest& job) { job.schedule = std::string(kMaxNameBytes + 1, 's'); });
  refuses("/worker_id", [](JobRequest& job) { job.worker_id = WorkerId{"a/b"}; });
  refuses("/tenant", [](JobRequest& job) { job.tenant = ""; });
  refuses("/idempotency_key", [](JobRequest& job) { job.idempotency_key = ""; });
  refuses("/idempotency_key",
          [](JobRequest& job) { job.idempotency_key = std::string(kMaxIdempotencyKeyBytes + 1, 'k'); });
  refuses("/hive_id", [](JobRequest& job) { job.hive_id = std::string(kMaxNameBytes + 1, 'h'); });
  refuses("/traceparent", [](JobRequest& job) { job.traceparent = "a\r\nb"; });
}

TEST_CASE("validate: a LoRA is a file name in the worker's own folder") {
  accepts([](JobRequest& job) { job.loras = {{"bees.safetensors", kMinLoraStrength}}; });
  accepts([](JobRequest& job) { job.loras.assign(kMaxLoras, {"x", 1.0}); });
  refuses("/loras", [](JobRequest& job) { job.loras.assign(kMaxLoras + 1, {"x", 1.0}); });
  for (const std::string& path :
       {std::string(), std::string("a/b"), std::string("../x"), std::string(".."), std::string("."),
        std::string("a\\b"), std::string(kMaxNameBytes + 1, 'x'), std::string("a\0b", 3)}) {
    refuses("/loras/1/path", [&](JobRequest& job) { job.loras = {{"ok", 1.0}, {path, 1.0}}; });
  }
  refuses("/loras/0/strength", [](JobRequest& job) { job.loras = {{"ok", 4.5}}; });
}

TEST_CASE("validate: a VAE is a name inside the worker's folder") {
  accepts([](JobRequest& job) { job.vae = "soft.safetensors"; });
  for (const std::string& name : {std::string(), std::string("../x"), std::string("/x"), std::string("a/b"),
                                  std::string("."), std::string(kMaxNameBytes + 1, 'x')})
    refuses("/vae", [&](JobRequest& job) { job.vae = name; });
}

TEST_CASE("validate: a control names a folder, brings a picture and ends after it starts") {
  const auto with = [](auto change) {
    return [change](JobRequest& job) {
      job.controls = {{"ok", {kBlob}}, {"canny", {kBlob}}};
      change(job.controls[1]);
    };
  };
  accepts(with([](ControlInput&) {}));
  accepts(with([](ControlInput& control) { control.start = control.end = 0.5; }));
  accepts([](JobRequest& job) { job.controls.assign(kMaxControls, {"x", {kBlob}}); });
  refuses("/controls", [](JobRequest& job) { job.controls.assign(kMaxControls + 1, {"x", {kBlob}}); });
  refuses("/controls/1/path", with([](ControlInput& control) { control.path = "../x"; }));
  refuses("/controls/1/image", with([](ControlInput& control) { control.image = {}; }));
  refuses("/controls/1/strength", with([](ControlInput& control) { control.strength = 4.5; }));
  refuses("/controls/1/strength", with([](ControlInput& control) { control.strength = -0.1; }));
  refuses("/controls/1/start", with([](ControlInput& control) { control.start = std::nan(""); }));
  refuses("/controls/1/start", with([](ControlInput& control) { control.start = 0.8, control.end = 0.2; }));
  refuses("/controls/1/end", with([](ControlInput& control) { control.end = 1.5; }));
}

TEST_CASE("validate: a second pass has one size, and not a larger one than pictures may have") {
  const auto with = [](auto change) {
    return [change](JobRequest& job) {
      Hires hires;
      change(hires);
      job.operation = ImageGeneration{1024, 512, hires};
    };
  };
  accepts(with([](Hires&) {}));
  accepts(with([](Hires& hires) { hires.scale = 4.0; }));
  accepts(with([](Hires& hires) { hires.width = 2048, hires.height = 1024, hires.steps = 5; }));
  refuses("/hires/scale", with([](Hires& hires) { hires.scale = 0.9; }));
  refuses("/hires/scale", with([](Hires& hires) { hires.scale = std::nan(""); }));
  refuses("/hires/scale", with([](Hires& hires) { hires.scale = 4.1; }));  // 4198 pixels
  refuses("/hires/scale", with([](Hires& hires) { hires.scale = 2.0, hires.width = hires.height = 2048; }));
  refuses("/hires/height", with([](Hires& hires) { hires.width = 2048; }));
  refuses("/hires/width", with([](Hires& hires) { hires.width = 2047, hires.height = 1024; }));
  refuses("/hires/steps", with([](Hires& hires) { hires.steps = 0; }));
  refuses("/hires/strength", with([](Hires& hires) { hires.strength = 0; }));
}

TEST_CASE("validate: a refiner is a model and takes over between the ends") {
  accepts([](JobRequest& job) { job.refiner = Refiner{"sdxl/refiner", 0.8}; });
  refuses("/refiner/model", [](JobRequest& job) { job.refiner = Refiner{"", 0.8}; });
  refuses("/refiner/model", [](JobRequest& job) { job.refiner = Refiner{"a/../b", 0.8}; });
  for (const double start : {0.0, 1.0, -1.0, std::nan("")})
    refuses("/refiner/start", [&](JobRequest& job) { job.refiner = Refiner{"refiner", start}; });
}

TEST_CASE("validate: soft edges and padding of a mask have bounds") {
  const auto with = [](auto change) {
    return [change](JobRequest& job) {
      ImageInpaint inpaint{{kBlob}, {kBlob}, 1.0, {}, {}};
      change(inpaint);
      job.operation = inpaint;
    };
  };
  accepts(with([](ImageInpaint& inpaint) { inpaint.mask_blur = 0.0, inpaint.only_masked_padding = 0; }));
  refuses("/mask_blur", with([](ImageInpaint& inpaint) { inpaint.mask_blur = kMaxMaskBlur + 1; }));
  refuses("/only_masked_padding", with([](ImageInpaint& inpaint) { inpaint.only_masked_padding = -1; }));
  refuses("/only_masked_padding",
          with([](ImageInpaint& inpaint) { inpaint.only_masked_padding = kMaxMaskPadding + 1; }));
}

TEST_CASE("validate: strength is above 0 and at most 1") {
  for (const double strength : {0.0, -0.5, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    refuses("/strength", [&](JobRequest& job) { job.operation = ImageTransform{{kBlob}, strength, {}, {}}; });
    refuses("/strength", [&](JobRequest& job) {
      job.operation = ImageInpaint{{kBlob}, {kBlob}, strength, {}, {}};
    });
  }
  accepts([](JobRequest& job) { job.operation = ImageTransform{{kBlob}, 0.01, {}, {}}; });
  accepts([](JobRequest& job) { job.operation = ImageInpaint{{kBlob}, {kBlob}, 1.0, {}, {}}; });
}

TEST_CASE("validate: a picture is there and not too large") {
  CHECK(validate(transform(PictureInput{testing::tiny_png()})).empty());
  CHECK(validate(transform(PictureInput{})).at(0).path == "/input_image");
  CHECK(validate(transform(PictureInput{std::string(kMaxPictureBytes + 1, 'x')})).at(0).path ==
        "/input_image");
  std::string broken = testing::tiny_png();
  broken.resize(broken.size() / 2);
  CHECK(validate(transform(PictureInput{broken})).at(0).path == "/input_image");
  CHECK(validate(transform(PictureInput{std::string("x")})).at(0).message ==
        "must be a PNG, JPEG or WebP picture");
  std::string huge = testing::tiny_png();
  huge.replace(16, 8, std::string("\0\x01\0\0\0\x01\0\0", 8));
  CHECK(validate(transform(PictureInput{huge})).at(0).message ==
        "must have at most 64000000 pixels, has 65536x65536");
  CHECK(validate(transform(PictureInput{BlobId{"sha256:1"}})).at(0).path == "/input_image");
  CHECK(paths_after([](JobRequest& job) { job.operation = ImageInpaint{}; }) ==
        std::vector<std::string>{"/init_image", "/mask_image"});
}

TEST_CASE("validate: everything wrong at once is reported at once, in field order") {
  const auto paths = paths_after([](JobRequest& job) {
    job.model = "";
    job.prompt = "\xff";
    job.steps = 0;
    job.seed = -1;
    job.n = 0;
    job.priority = 99;
    job.operation = ImageInpaint{{}, {}, 0.0, 7, 9};
  });
  CHECK(paths == std::vector<std::string>{"/model", "/prompt", "/steps", "/seed", "/n", "/priority",
                                          "/init_image", "/mask_image", "/strength", "/width", "/height"});
}

TEST_CASE("validate: the error over fields counts them") {
  CHECK(invalid_request({{"/n", "x"}}).message == "1 field is wrong");
  CHECK(invalid_request({{"/n", "x"}, {"/m", "y"}}).message == "2 fields are wrong");
  CHECK(invalid_request({}).code == ErrorCode::invalid_request);
}

}  // namespace waggle
