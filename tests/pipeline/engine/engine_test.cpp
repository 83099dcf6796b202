// The pipeline as its users see it: jobs in, pictures out, sharing steps without noticing each other.
#include <condition_variable>
#include <map>
#include <mutex>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"
#include "tests/schemas/tiny_picture.h"

using namespace waggle;
using namespace waggle::pipeline;

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";

/// Waits for one job and keeps what its callbacks said.
class Watched {
 public:
  RenderJob job(JobRequest request) {
    RenderJob job;
    job.model = "small";
    job.request = std::move(request);
    job.callbacks.progress = [this](int step, int total) {
      const std::lock_guard lock(mutex_);
      progress.emplace_back(step, total);
      changed_.notify_all();
    };
    job.callbacks.preview = [this](Preview preview) {
      const std::lock_guard lock(mutex_);
      previews.push_back(std::move(preview));
    };
    job.callbacks.image = [this](RenderedImage image) {
      const std::lock_guard lock(mutex_);
      CHECK_FALSE(result);
      images[image.info.index] = std::move(image);
    };
    job.callbacks.end = [this](Result<RenderSummary> end) {
      const std::lock_guard lock(mutex_);
      CHECK_FALSE(result);
      result = std::make_unique<Result<RenderSummary>>(std::move(end));
      changed_.notify_all();
    };
    return job;
  }
  Result<RenderSummary>& wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return result != nullptr; }));
    return *result;
  }
  void wait_for_steps(std::size_t steps) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return progress.size() >= steps; }));
  }

  std::vector<std::pair<int, int>> progress;
  std::vector<Preview> previews;
  std::map<int, RenderedImage> images;
  std::unique_ptr<Result<RenderSummary>> result;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

JobRequest request(const std::string& prompt, std::int64_t seed, int steps = 6) {
  JobRequest r;
  r.model = "small";
  r.prompt = prompt;
  r.seed = seed;
  r.steps = steps;
  return r;
}

Options options(int max_batch = 8) {
  Options o;
  o.precision = Precision::fp32;
  o.threads = 1;
  o.max_batch = max_batch;
  return o;
}

Picture pixels(const RenderedImage& image) {
  auto picture = decode(image.bytes);
  REQUIRE(picture);
  return *picture;
}

int largest_difference(const Picture& a, const Picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
}

Picture render_alone(const JobRequest& what) {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  pipeline.render(watched.job(what));
  REQUIRE(watched.wait());
  return pixels(watched.images.at(0));
}

}  // namespace

TEST_CASE("pipeline: a job gives its picture, monotone progress and one end") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto what = request("a red circle", 5);
  what.n = 2;
  pipeline.render(watched.job(what));
  const auto& end = watched.wait();
  REQUIRE(end);
  CHECK(end->resolved.sampler == "pndm");
  CHECK(end->resolved.guidance_scale == 7.5);
  REQUIRE(watched.images.size() == 2);
  CHECK(watched.images.at(0).info.seed == 5);
  CHECK(watched.images.at(1).info.seed == 6);
  CHECK(watched.images.at(0).info.width == 64);
  REQUIRE(watched.progress.size() == 14);  // PNDM evaluates n + 1 times, for two images
  for (std::size_t i = 0; i < watched.progress.size(); ++i)
    CHECK(watched.progress[i] == std::pair<int, int>(static_cast<int>(i) + 1, 14));
}

TEST_CASE("pipeline: image i of a job is what seed + i gives alone") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto what = request("a red circle", 5);
  what.n = 3;
  pipeline.render(watched.job(what));
  REQUIRE(watched.wait());
  CHECK(largest_difference(pixels(watched.images.at(2)), render_alone(request("a red circle", 7))) <= 1);
}

TEST_CASE("pipeline: different jobs share UNet calls and still give what each gives alone") {
  std::vector<JobRequest> jobs{request("a cat", 1, 6), request("a red circle, detailed", 2, 9),
                               request("", 3, 4)};
  jobs[0].sampler = "euler";
  jobs[1].sampler = "euler_a";
  jobs[1].guidance_scale = 1.0;
  jobs[2].sampler = "ddim";
  jobs[2].negative_prompt = "blurry";
  jobs[2].has_negative_prompt = true;

  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  std::vector<std::unique_ptr<Watched>> watched;
  // A long job first, so that the others find it running and join.
  Watched longest;
  pipeline.render(longest.job(request("a long one", 9, 60)));
  longest.wait_for_steps(2);
  for (const auto& job : jobs) pipeline.render(watched.emplace_back(std::make_unique<Watched>())->job(job));
  for (auto& one : watched) REQUIRE(one->wait());
  REQUIRE(longest.wait());
  const auto stats = pipeline.stats();
  CHECK(stats.unet_images > stats.unet_calls);
  for (std::size_t i = 0; i < jobs.size(); ++i)
    CHECK(largest_difference(pixels(watched[i]->images.at(0)), render_alone(jobs[i])) <= 1);
}

TEST_CASE("pipeline: a third job that arrives in mid-run has its first step in the very next call") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched first, second, third;
  constexpr int kArrives = 5;
  int steps_of_first = 0, waited = -1;  // touched on the engine's thread alone until the jobs have ended

  const auto euler = [](const char* prompt, std::int64_t seed, int steps) {
    JobRequest what = request(prompt, seed, steps);
    what.sampler = "euler";  // asks the denoiser once a step
    return what;
  };
  RenderJob late = third.job(euler("a late bee", 3, 4));
  late.callbacks.progress = [&, watch = late.callbacks.progress](int step, int total) {
    watch(step, total);
    if (waited < 0) waited = steps_of_first - kArrives;
  };
  RenderJob running = first.job(euler("a cat", 1, 40));
  running.callbacks.progress = [&, watch = running.callbacks.progress](int step, int total) {
    watch(step, total);
    steps_of_first = step;
    if (step == kArrives) pipeline.render(std::move(late));
  };
  pipeline.render(std::move(running));
  pipeline.render(second.job(euler("a dog", 2, 60)));
  REQUIRE(third.wait());
  REQUIRE(first.wait());
  REQUIRE(second.wait());
  CHECK(waited == 1);
  const auto stats = pipeline.stats();
  CHECK(stats.unet_images == 40 + 60 + 4);
  CHECK(stats.unet_calls < stats.unet_images);
  CHECK(stats.unet_s > 0);
}

TEST_CASE("pipeline: a cancelled job ends within one step, its neighbour goes on") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched doomed, neighbour;
  const Ticket ticket = pipeline.render(doomed.job(request("a cat", 1, 400)));
  pipeline.render(neighbour.job(request("a dog", 2, 40)));
  doomed.wait_for_steps(3);
  pipeline.cancel(ticket);
  const auto& end = doomed.wait();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::cancelled);
  CHECK(doomed.images.empty());
  REQUIRE(neighbour.wait());
  pipeline.cancel(ticket);  // of a job that has ended: nothing happens
}

TEST_CASE("pipeline: an engine that goes away ends every job") {
  Watched running, waiting;
  {
    Pipeline pipeline(options(1));
    REQUIRE(pipeline.load(kModel, "small"));
    pipeline.render(running.job(request("a cat", 1, 400)));
    running.wait_for_steps(2);
    pipeline.render(waiting.job(request("a cat", 2, 400)));
  }
  CHECK(running.wait().error().code == ErrorCode::cancelled);
  CHECK(waiting.wait().error().code == ErrorCode::cancelled);
}

TEST_CASE("pipeline: bad requests end with their field, good neighbours are not touched") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched good;
  pipeline.render(good.job(request("a cat", 1)));

  const auto fails = [&](JobRequest what, ErrorCode code, const std::string& path) {
    Watched watched;
    pipeline.render(watched.job(std::move(what)));
    const auto& end = watched.wait();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == code);
    if (path.empty()) return;
    REQUIRE_FALSE(end.error().fields.empty());
    CHECK(end.error().fields.front().path == path);
  };
  auto steps = request("x", 1, 0);
  fails(steps, ErrorCode::invalid_request, "/steps");
  auto size = request("x", 1);
  size.operation = ImageGeneration{513, 512};
  fails(size, ErrorCode::invalid_request, "/width");
  auto sampler = request("x", 1);
  sampler.sampler = "nonsense";
  fails(sampler, ErrorCode::unknown_sampler, "");
  auto skip = request("x", 1);
  skip.clip_skip = 7;
  fails(skip, ErrorCode::invalid_request, "/clip_skip");
  auto broken = request("x", 1);
  broken.operation = ImageTransform{{std::string("\x89PNG\r\n\x1a\n but no more")}, 0.5, {}, {}};
  fails(broken, ErrorCode::invalid_request, "/input_image");
  // Whole to the eye of whoever admits it, and broken within: the samples are where the size was.
  std::string spoilt = testing::tiny_png();
  spoilt[19] = '\x40';
  broken.operation = ImageTransform{{spoilt}, 0.5, {}, {}};
  fails(broken, ErrorCode::unsupported_media, "/input_image");
  REQUIRE(good.wait());

  Watched unknown;
  auto job = unknown.job(request("x", 1));
  job.model = "other";
  pipeline.render(std::move(job));
  CHECK(unknown.wait().error().code == ErrorCode::unknown_model);
}

TEST_CASE("pipeline: a picture over the memory budget is refused before it starts, with the number") {
  Options o = options();
  o.memory_budget_bytes = 1 << 20;
  Pipeline pipeline(o);
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto what = request("x", 1);
  what.operation = ImageGeneration{1024, 1024};
  pipeline.render(watched.job(what));
  const auto& end = watched.wait();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == ErrorCode::out_of_memory);
  CHECK(end.error().message.find("the budget is 1 MiB") != std::string::npos);
}

TEST_CASE("pipeline: images that were committed before are not rendered again") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto what = request("a cat", 1);
  what.n = 3;
  auto job = watched.job(what);
  job.done = {0, 2};
  pipeline.render(std::move(job));
  REQUIRE(watched.wait());
  REQUIRE(watched.images.size() == 1);
  CHECK(watched.images.begin()->first == 1);
  CHECK(watched.progress.back() == std::pair<int, int>(7, 7));
}

TEST_CASE(
    "pipeline: image to image and inpainting take the picture's own size and keep what the mask keeps") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Picture source{70, 85, 3, {}};
  for (int i = 0; i < 70 * 85 * 3; ++i) source.samples.push_back(static_cast<std::uint8_t>(i * 7 % 256));
  const std::string file = encode(source, OutputFormat::png);

  Watched transformed;
  auto transform = request("a cat", 1);
  transform.operation = ImageTransform{{file}, 0.6, {}, {}};
  pipeline.render(transformed.job(transform));
  REQUIRE(transformed.wait());
  CHECK(transformed.images.at(0).info.width == 64);
  CHECK(transformed.images.at(0).info.height == 80);
  CHECK(transformed.progress.back().second ==
        4);  // 6 steps at strength 0.6: 3 of them, and PNDM evaluates one more

  // A black mask keeps everything: no prompt may change the picture.
  const std::string black =
      encode(Picture{8, 8, 3, std::vector<std::uint8_t>(8 * 8 * 3, 0)}, OutputFormat::png);
  const auto inpaint = [&](const std::string& prompt) {
    Watched watched;
    auto what = request(prompt, 1);
    what.sampler = "ddim";
    what.operation = ImageInpaint{{file}, {black}, 1.0, {}, {}};
    pipeline.render(watched.job(what));
    REQUIRE(watched.wait());
    return pixels(watched.images.at(0));
  };
  CHECK(largest_difference(inpaint("a cat"), inpaint("something else")) == 0);
}

TEST_CASE("pipeline: previews come when asked for and are pictures") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto what = request("a cat", 1, 9);
  what.sampler = "euler";
  what.preview_every = 3;
  pipeline.render(watched.job(what));
  REQUIRE(watched.wait());
  REQUIRE(watched.previews.size() == 2);
  CHECK(watched.previews[0].step == 3);
  const auto preview = decode(watched.previews[0].bytes);
  REQUIRE(preview);
  CHECK(preview->width == 8);
}

TEST_CASE("pipeline: the file carries its parameters and the whole job") {
  Pipeline pipeline(options());
  REQUIRE(pipeline.load(kModel, "small"));
  Watched watched;
  auto job = watched.job(request("a cat", 41));
  job.describe = [](const JobRequest& resolved) {
    return "{\"seed\":" + std::to_string(*resolved.seed) + "}";
  };
  pipeline.render(std::move(job));
  REQUIRE(watched.wait());
  const auto text = read_text(watched.images.at(0).bytes);
  REQUIRE(text);
  std::map<std::string, std::string> fields(text->begin(), text->end());
  CHECK(fields["parameters"].find("Steps: 6") != std::string::npos);
  CHECK(fields["parameters"].find("Seed: 41") != std::string::npos);
  CHECK(fields["waggle"] == "{\"seed\":41}");
}

TEST_CASE("pipeline: loading what is no model names the file") {
  Pipeline pipeline(options());
  const auto missing = pipeline.load("/nonexistent/model", "x");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::model_load_failed);
  CHECK(missing.error().message.find("model") != std::string::npos);
}
