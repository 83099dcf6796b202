// The loop of a run against a backend of the test's own: what is written when, and what a stop, a loss, a
// failure or a crash leaves to do.
#include "consumer/cli/batch/run.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"

using namespace waggle;
using namespace waggle::cli;
using namespace waggle::cli::batch;

namespace {

/// Ends one task a call, in the order of submission. Bytes depend on prompt and seed alone.
class FakeBackend final : public Backend {
 public:
  std::set<std::size_t> fails, loses_once;
  std::size_t most_in_hand = 0, ends_after = 1'000'000;
  std::vector<std::string> keys;
  std::optional<Error> breaks;
  bool stopped = false;

  void submit(Task task) override {
    keys.push_back(*task.request.idempotency_key);
    tasks_.push_back(std::move(task));
    most_in_hand = std::max(most_in_hand, tasks_.size());
  }
  Result<std::vector<Happening>> wait(std::chrono::milliseconds) override {
    if (breaks && ends_after == 0) return *breaks;
    std::vector<Happening> happened;
    while (stopped && !tasks_.empty()) {
      happened.push_back(Cancelled{tasks_.front().index});
      tasks_.pop_front();
    }
    if (tasks_.empty()) return happened;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    --ends_after;
    happened.push_back(Started{task.index, "worker"});
    if (loses_once.erase(task.index) > 0) {
      happened.push_back(Lost{task.index});
    } else if (fails.contains(task.index)) {
      happened.push_back(Failed{task.index, "worker", {ErrorCode::out_of_memory, "too large"}});
    } else {
      for (int image = 0; image < task.request.n; ++image) {
        if (std::count(task.written.begin(), task.written.end(), image) > 0) continue;
        const std::int64_t seed = *task.request.seed + image;
        happened.push_back(Picture{task.index,
                                   {image, seed, OutputFormat::png, 1, 1, 1},
                                   task.request.prompt + " " + std::to_string(seed)});
      }
      happened.push_back(Completed{task.index, "worker", 0.1});
    }
    return happened;
  }
  void stop() override { stopped = true; }

 private:
  std::deque<Task> tasks_;
};

class SilentReporter final : public Reporter {
 public:
  int pictures = 0, failures = 0;
  void picture(const PlannedJob&, const ImageRecord&) override { ++pictures; }
  void failed(const PlannedJob&, const Error&) override { ++failures; }
  void note(const std::string&) override {}
  void tick(const Tally&, Tally::Clock::time_point) override {}
  void end(const Tally&, bool) override {}
};

std::vector<PlannedJob> jobs(std::size_t count) {
  std::vector<PlannedJob> made;
  for (std::size_t i = 0; i < count; ++i) {
    PlannedJob job{
        i, 1, {}, {}, {"sub/" + std::to_string(i) + "-a.png", "sub/" + std::to_string(i) + "-b.png"}};
    job.request.model = "m";
    job.request.prompt = "fox " + std::to_string(i);
    job.request.seed = static_cast<std::int64_t>(100 * i);
    job.request.n = 2;
    made.push_back(std::move(job));
  }
  return made;
}

struct Stage {
  PrivateFolder folder{"waggle-test-"};
  SilentReporter reporter;
  std::function<int()> stops = [] { return 0; };
  RunOptions options{folder.path(), 4, false, std::chrono::milliseconds(100)};

  Manifest begin(std::size_t count) {
    return Manifest::create(folder.path(), {"run", "f", "d", "v", count, {}}, jobs(count)).value();
  }
  Manifest open() { return Manifest::open(folder.path()).value(); }
  Result<RunResult> run(Manifest& manifest, FakeBackend& backend) {
    return batch::run(manifest, backend, reporter, stops, options);
  }
  std::map<std::string, std::string> pictures() const {
    std::map<std::string, std::string> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "sub", error))
      found[entry.path().filename()] = read_file(entry.path(), 1000).value();
    return found;
  }
};

}  // namespace

TEST_CASE("run: every picture is written, and no more jobs than the window are in hand") {
  Stage stage;
  FakeBackend backend;
  auto manifest = stage.begin(20);
  const auto result = stage.run(manifest, backend);
  REQUIRE(result);
  CHECK(result->done == 20);
  CHECK(result->failed == 0);
  CHECK(backend.most_in_hand == 4);
  CHECK(backend.keys[3] == "run-3");
  const auto pictures = stage.pictures();
  CHECK(pictures.size() == 40);
  CHECK(pictures.at("3-b.png") == "fox 3 301");
  CHECK(stage.reporter.pictures == 40);
}

TEST_CASE("run: one that is broken off anywhere and resumed leaves what an unbroken one leaves") {
  Stage whole;
  FakeBackend patient;
  auto unbroken = whole.begin(12);
  REQUIRE(whole.run(unbroken, patient));
  for (std::size_t ends = 1; ends < 12; ++ends) {
    Stage stage;
    {
      FakeBackend backend;
      backend.ends_after = ends;
      backend.breaks = Error{ErrorCode::unavailable, "gone"};
      auto manifest = stage.begin(12);
      CHECK_FALSE(stage.run(manifest, backend));
    }
    FakeBackend again;
    auto manifest = stage.open();
    const auto result = stage.run(manifest, again);
    REQUIRE(result);
    CHECK(result->done == 12);
    CHECK(again.keys.size() == 12 - ends);  // the same keys for the rest, and nothing twice
    CHECK(again.keys.back() == "run-11");
    CHECK(stage.pictures() == whole.pictures());
  }
}

TEST_CASE("run: a picture that was written before the crash, but not recorded, is written again") {
  Stage stage;
  auto manifest = stage.begin(2);
  std::filesystem::create_directories(stage.folder.path() / "sub");
  REQUIRE(write_atomically(stage.folder.path() / "sub/0-a.png", "half a truth"));
  // And one that the crash met while it was being written.
  std::ofstream(stage.folder.path() / ("sub/1-b.png." + manifest.header().run + ".part")) << "half";
  FakeBackend backend;
  REQUIRE(stage.run(manifest, backend));
  CHECK(stage.pictures().at("0-a.png") == "fox 0 0");
  CHECK(stage.pictures().size() == 4);
}

TEST_CASE("run: a picture that somebody deleted is missing, and made again") {
  Stage stage;
  {
    FakeBackend backend;
    auto manifest = stage.begin(3);
    REQUIRE(stage.run(manifest, backend));
  }
  const auto before = stage.pictures();
  std::filesystem::remove(stage.folder.path() / "sub/1-b.png");
  FakeBackend backend;
  auto manifest = stage.open();
  REQUIRE(stage.run(manifest, backend));
  CHECK(backend.keys == std::vector<std::string>{"run-1"});
  CHECK(stage.pictures() == before);
}

TEST_CASE("run: failures are counted, kept, and tried again only when that is asked for") {
  Stage stage;
  {
    FakeBackend backend;
    backend.fails = {1, 2};
    auto manifest = stage.begin(5);
    const auto result = stage.run(manifest, backend);
    REQUIRE(result);
    CHECK(result->done == 3);
    CHECK(result->failed == 2);
    CHECK(stage.reporter.failures == 2);
  }
  {
    FakeBackend backend;
    auto manifest = stage.open();
    const auto result = stage.run(manifest, backend);
    REQUIRE(result);
    CHECK(result->failed == 2);
    CHECK(backend.keys.empty());
  }
  stage.options.retry_failed = true;
  FakeBackend backend;
  auto manifest = stage.open();
  const auto result = stage.run(manifest, backend);
  REQUIRE(result);
  CHECK(result->done == 5);
  CHECK(backend.keys == std::vector<std::string>{"run-1-1", "run-2-1"});
}

TEST_CASE("run: a lost job is begun anew under another key, but not for ever") {
  Stage stage;
  FakeBackend backend;
  backend.loses_once = {2};
  auto manifest = stage.begin(4);
  REQUIRE(stage.run(manifest, backend));
  CHECK(std::count(backend.keys.begin(), backend.keys.end(), "run-2-1") == 1);
  CHECK(stage.pictures().size() == 8);
}

TEST_CASE("run: a stop cancels what is in hand; what is done stays, and the rest is done on resuming") {
  Stage stage;
  {
    FakeBackend backend;
    int asked = 0;
    stage.stops = [&asked] { return ++asked > 3 ? 1 : 0; };
    auto manifest = stage.begin(10);
    const auto result = stage.run(manifest, backend);
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(result->done == 3);
    CHECK(backend.keys.size() < 10);
  }
  stage.stops = [] { return 0; };
  FakeBackend backend;
  auto manifest = stage.open();
  const auto result = stage.run(manifest, backend);
  REQUIRE(result);
  CHECK(result->done == 10);
  CHECK(stage.pictures().size() == 20);
  // The queue remembers the cancelled ones under their first keys.
  CHECK(std::count(backend.keys.begin(), backend.keys.end(), "run-3-1") == 1);
}

TEST_CASE("run: a picture that cannot be written ends the run") {
  Stage stage;
  auto manifest = stage.begin(2);
  REQUIRE(write_atomically(stage.folder.path() / "sub", "a file where a folder should be"));
  FakeBackend backend;
  const auto result = stage.run(manifest, backend);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::io_error);
}
