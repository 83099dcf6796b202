// Jobs with ControlNets and with inpainting's extras, through the pipeline's face: what they change, and what
// they must leave alone.
#include <algorithm>
#include <future>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"

using namespace waggle;
using namespace waggle::pipeline;

namespace {

const std::filesystem::path kData = WAGGLE_GOLDEN_DATA;

/// One render on its way.
class Render {
 public:
  Render(Pipeline& pipeline, JobRequest request) {
    RenderJob job;
    job.model = "small";
    job.request = std::move(request);
    job.callbacks.image = [this](RenderedImage image) { bytes_ = std::move(image.bytes); };
    job.callbacks.end = [this](Result<RenderSummary> end) { end_.set_value(std::move(end)); };
    pipeline.render(std::move(job));
  }
  Picture picture() {
    auto end = result();
    REQUIRE(end);
    auto picture = decode(bytes_);
    REQUIRE(picture);
    return std::move(*picture);
  }
  Error error() {
    auto end = result();
    REQUIRE_FALSE(end);
    return std::move(end).error();
  }

 private:
  Result<RenderSummary> result() {
    auto future = end_.get_future();
    REQUIRE(future.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
    return future.get();
  }
  std::string bytes_;
  std::promise<Result<RenderSummary>> end_;
};

Options options() {
  Options options;
  options.precision = Precision::fp32;
  options.threads = 1;
  options.folders.controlnets = kData;
  return options;
}

/// Stripes whose width is a number of pixels.
Picture stripes(int width, int height, int stripe) {
  Picture picture{width, height, 3, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      picture.samples.insert(picture.samples.end(), 3, (x / stripe) % 2 == 0 ? 40 : 210);
  return picture;
}

/// Black, with a white square.
Picture square_mask(int side, int begin, int end) {
  Picture mask{side, side, 3, {}};
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      mask.samples.insert(mask.samples.end(), 3, x >= begin && x < end && y >= begin && y < end ? 255 : 0);
  return mask;
}

PictureInput input(const Picture& picture) { return {encode(picture, OutputFormat::png)}; }

JobRequest request(std::int64_t seed = 7) {
  JobRequest request;
  request.model = "small";
  request.prompt = "a cat";
  request.seed = seed;
  request.steps = 4;
  request.operation = ImageGeneration{64, 64};
  return request;
}

JobRequest controlled(double strength, std::int64_t seed = 7) {
  JobRequest job = request(seed);
  job.controls = {{"controlnet-sd15", input(stripes(64, 64, 8)), strength}};
  return job;
}

JobRequest inpainting(ImageInpaint inpaint, const Picture& picture, const Picture& mask) {
  JobRequest job = request();
  inpaint.init_image = input(picture);
  inpaint.mask_image = input(mask);
  job.operation = std::move(inpaint);
  return job;
}

int largest_difference(const Picture& a, const Picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
}

/// Samples that differ where the mask keeps, and where it paints.
std::pair<int, int> changes(const Picture& before, const Picture& after, const Picture& mask) {
  REQUIRE(before.samples.size() == after.samples.size());
  std::pair<int, int> count;
  for (std::size_t i = 0; i < before.samples.size(); ++i)
    if (before.samples[i] != after.samples[i]) ++(mask.samples[i] == 0 ? count.first : count.second);
  return count;
}

}  // namespace

TEST_CASE("control: a ControlNet changes the picture, and one of no strength does not") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kData / "sd15", "small"));
  const Picture plain = Render(pipeline, request()).picture();
  CHECK(largest_difference(plain, Render(pipeline, controlled(1.0)).picture()) > 20);
  CHECK(largest_difference(plain, Render(pipeline, controlled(0.0)).picture()) == 0);
  JobRequest never = controlled(1.0);
  never.controls[0].start = never.controls[0].end = 0.5;  // no step fits between
  CHECK(largest_difference(plain, Render(pipeline, never).picture()) == 0);
}

TEST_CASE("control: jobs with and without ControlNets share steps without noticing each other") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kData / "sd15", "small"));
  JobRequest twice = controlled(0.5, 9);
  twice.controls.push_back({"controlnet-sd15", input(stripes(64, 64, 16)), 0.4, 0.0, 0.6, true});
  const std::vector<JobRequest> jobs{request(8), controlled(0.8), twice};
  std::vector<Picture> alone;
  for (const JobRequest& job : jobs) alone.push_back(Render(pipeline, job).picture());
  const auto calls = pipeline.stats().unet_calls;
  std::vector<std::unique_ptr<Render>> together;
  for (const JobRequest& job : jobs) together.push_back(std::make_unique<Render>(pipeline, job));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    INFO(i);
    CHECK(largest_difference(together[i]->picture(), alone[i]) <= 1);
  }
  CHECK(pipeline.stats().unet_calls - calls < calls);
}

TEST_CASE("control: what is wrong with a control is told by its field") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kData / "sd15", "small"));
  JobRequest unknown = controlled(1.0);
  unknown.controls[0].path = "no-such-net";
  const Error missing = Render(pipeline, unknown).error();
  CHECK(missing.code == ErrorCode::unknown_adapter);
  CHECK(missing.fields.at(0).path == "/controls/0/path");
  JobRequest broken = controlled(1.0);
  broken.controls[0].image.source = std::string("\x89PNG\r\n\x1a\n but no more");
  CHECK(Render(pipeline, broken).error().fields.at(0).path == "/controls/0/image");
  JobRequest no_net = controlled(1.0);
  no_net.controls[0].path = "sd15";  // a folder, but not a ControlNet's
  const Error other = Render(pipeline, no_net).error();
  CHECK(other.code == ErrorCode::invalid_request);
  CHECK(other.fields.at(0).path == "/controls/0/path");
}

TEST_CASE("inpainting: pasted back, kept pixels stay as they were") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kData / "sd15", "small"));
  const Picture picture = stripes(64, 64, 8), mask = square_mask(64, 16, 48);
  ImageInpaint inpaint;
  const auto plain = changes(picture, Render(pipeline, inpainting(inpaint, picture, mask)).picture(), mask);
  CHECK(plain.first > 0);  // the VAE's round trip touches all of it
  inpaint.paste_back = true;
  const auto pasted = changes(picture, Render(pipeline, inpainting(inpaint, picture, mask)).picture(), mask);
  CHECK(pasted.first == 0);
  CHECK(pasted.second > 1000);
}

TEST_CASE("inpainting: only what is around the mask is rendered, and put back at the picture's own size") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kData / "sd15", "small"));
  const Picture picture = stripes(150, 150, 10), mask = square_mask(150, 60, 90);
  ImageInpaint inpaint;
  inpaint.width = inpaint.height = 64;
  inpaint.only_masked_padding = 8;
  const Picture result = Render(pipeline, inpainting(inpaint, picture, mask)).picture();
  CHECK(result.width == 150);
  const auto count = changes(picture, result, mask);
  CHECK(count.first == 0);
  CHECK(count.second > 1000);
  inpaint.mask_blur = 3.0;
  const Picture soft = Render(pipeline, inpainting(inpaint, picture, mask)).picture();
  const auto around = changes(picture, soft, mask);
  CHECK(around.first > 0);  // the soft edge
  CHECK(changes(picture, soft, square_mask(150, 45, 105)).first == 0);
}
