// Jobs with LoRAs through the whole pipeline: they share the engine with others and change nothing for them.
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "pipeline/pipeline.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

const std::filesystem::path kModel = std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15";

/// One job, and a wait for its end.
class Job {
 public:
  Job(Pipeline& pipeline, std::vector<Lora> loras, int steps = 2, std::int64_t seed = 7) {
    RenderJob job;
    job.model = job.request.model = "small";
    job.request.prompt = "a red circle";
    job.request.sampler = "ddim";
    job.request.seed = seed;
    job.request.steps = steps;
    job.request.loras = std::move(loras);
    job.callbacks.progress = [this](int step, int) {
      const std::lock_guard lock(mutex_);
      steps_ = step;
      changed_.notify_all();
    };
    job.callbacks.image = [this](RenderedImage image) { bytes_ = std::move(image.bytes); };
    job.callbacks.end = [this](Result<RenderSummary> end) {
      const std::lock_guard lock(mutex_);
      end_ = std::move(end);
      changed_.notify_all();
    };
    ticket = pipeline.render(std::move(job));
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const Result<RenderSummary>& wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return end_.has_value(); }));
    return *end_;
  }
  void wait_for_step() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return steps_ > 0; }));
  }
  std::string picture() {
    const auto& end = wait();
    if (!end) FAIL(to_string(end.error()));
    return bytes_;
  }

  Ticket ticket = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int steps_ = 0;
  std::string bytes_;
  std::optional<Result<RenderSummary>> end_;
};

Options options(const LoraFolder& folder) {
  Options o;
  o.precision = Precision::fp32;
  o.threads = 1;
  o.folders.loras = folder.path();
  return o;
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("lora jobs: the picture changes with the LoRA, and is the base's own again without it") {
  const LoraFolder folder;
  folder.write("ink.safetensors", small_lora(1));
  Pipeline pipeline(options(folder));
  REQUIRE(pipeline.load(kModel, "small"));
  const std::string base = Job(pipeline, {}).picture();
  const std::string inked = Job(pipeline, {{"ink", 1.0}}).picture();
  CHECK(inked != base);
  CHECK(Job(pipeline, {{"ink", -1.0}}).picture() != inked);
  CHECK(Job(pipeline, {}).picture() == base);
  CHECK(Job(pipeline, {{"ink.safetensors", 1.0}}).picture() == inked);
}

TEST_CASE("lora jobs: pictures and memory stay the same over a hundred changes of the LoRAs") {
  const LoraFolder folder;
  folder.write("ink.safetensors", small_lora(1));
  folder.write("oil.safetensors", small_lora(50));
  const std::vector<std::vector<Lora>> sets{{}, {{"ink", 0.8}}, {{"ink", 0.5}, {"oil", -1.5}}};
  Options tight = options(folder);
  tight.model_memory_bytes = 3 << 20;  // room for one model: they are built anew
  for (const Options& o : {options(folder), tight}) {
    Pipeline pipeline(o);
    REQUIRE(pipeline.load(kModel, "small"));
    std::vector<std::string> first;
    std::int64_t after_ten = 0;
    for (std::size_t i = 0; i < 100; ++i) {
      const std::size_t which = i % sets.size();
      const std::string picture = Job(pipeline, sets[which]).picture();
      if (i < sets.size()) first.push_back(picture);
      REQUIRE(picture == first[which]);
      if (i == 10) after_ten = resident_bytes();
    }
    CHECK(first[0] != first[1]);
    CHECK(first[1] != first[2]);
    // A model is 2 MB: ninety that stayed would show.
    CHECK(resident_bytes() - after_ten < (16 << 20));
  }
}

TEST_CASE("lora jobs: they run beside a job without, and both give what each gives alone") {
  const LoraFolder folder;
  folder.write("ink.safetensors", small_lora(1));
  Pipeline pipeline(options(folder));
  REQUIRE(pipeline.load(kModel, "small"));
  const std::string base = Job(pipeline, {}, 12).picture(),
                    inked = Job(pipeline, {{"ink", 1.0}}, 9).picture();
  Job plain(pipeline, {}, 12);
  plain.wait_for_step();
  Job adapted(pipeline, {{"ink", 1.0}}, 9);
  CHECK(adapted.picture() == inked);
  CHECK(plain.picture() == base);
}

TEST_CASE("lora jobs: a LoRA that cannot be used ends its job alone, with the field") {
  const LoraFolder folder;
  folder.write("ink.safetensors", small_lora(1));
  std::ofstream(folder.path() / "broken.safetensors") << "no tensors here, but a good many bytes";
  Pipeline pipeline(options(folder));
  REQUIRE(pipeline.load(kModel, "small"));
  Job good(pipeline, {}, 20);
  const auto refused = [&](std::vector<Lora> loras, ErrorCode code, const std::string& path) {
    Job job(pipeline, std::move(loras));
    const auto& end = job.wait();
    REQUIRE_FALSE(end);
    CHECK(end.error().code == code);
    REQUIRE_FALSE(end.error().fields.empty());
    CHECK(end.error().fields.front().path == path);
  };
  refused({{"ink", 1.0}, {"missing", 1.0}}, ErrorCode::unknown_adapter, "/loras/1/path");
  refused({{"broken", 1.0}}, ErrorCode::invalid_request, "/loras/0/path");
  refused({{"../ink", 1.0}}, ErrorCode::invalid_request, "/loras/0/path");
  refused({{"ink", 5.0}}, ErrorCode::invalid_request, "/loras/0/strength");
  CHECK(good.wait());
}

TEST_CASE("lora jobs: cancelled and orphaned ones end too") {
  const LoraFolder folder;
  folder.write("ink.safetensors", small_lora(1));
  auto pipeline = std::make_unique<Pipeline>(options(folder));
  REQUIRE(pipeline->load(kModel, "small"));
  std::vector<std::unique_ptr<Job>> jobs;
  for (int i = 0; i < 12; ++i)
    jobs.push_back(std::make_unique<Job>(*pipeline, std::vector<Lora>{{"ink", 0.1 * i}}, 400));
  for (int i = 0; i < 6; ++i) pipeline->cancel(jobs[static_cast<std::size_t>(i)]->ticket);
  for (int i = 0; i < 6; ++i)
    CHECK(jobs[static_cast<std::size_t>(i)]->wait().error().code == ErrorCode::cancelled);
  pipeline.reset();
  for (auto& job : jobs) CHECK(job->wait().error().code == ErrorCode::cancelled);

  Pipeline empty(options(folder));
  CHECK(Job(empty, {{"ink", 1.0}}).wait().error().code == ErrorCode::unknown_model);
}
