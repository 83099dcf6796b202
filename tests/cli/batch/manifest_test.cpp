// The manifest as a crash leaves it, and what a resumed run reads out of it.
#include "consumer/cli/batch/manifest.h"

#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"

using namespace waggle;
using namespace waggle::cli;
using namespace waggle::cli::batch;

namespace {

std::vector<PlannedJob> jobs(int count) {
  std::vector<PlannedJob> made;
  for (int i = 0; i < count; ++i) {
    PlannedJob job{static_cast<std::size_t>(i), i + 1, {}, {}, {}};
    job.request.model = "sd15";
    job.request.prompt = "a fox, \"nr\" " + std::to_string(i);
    job.request.seed = (std::int64_t{1} << 40) + i;
    job.request.n = 2;
    for (int image = 0; image < 2; ++image)
      job.files.push_back(std::to_string(i) + "-" + std::to_string(image) + ".png");
    made.push_back(std::move(job));
  }
  return made;
}

RunHeader header(std::size_t count) {
  return {"0123456789abcdef", "prompts.txt", "sha256:x", "0.1.0", count, std::nullopt};
}

std::string text_of(const PrivateFolder& folder) {
  return read_file(folder.path() / kManifestName, 1u << 20).value();
}

void append(const PrivateFolder& folder, const std::string& text) {
  std::ofstream(folder.path() / kManifestName, std::ios::app | std::ios::binary) << text;
}

}  // namespace

TEST_CASE("manifest: what was planned and what came of it is read back") {
  const PrivateFolder folder("waggle-test-");
  CHECK_FALSE(Manifest::exists(folder.path()));
  auto planned = jobs(4);
  planned[1].request.operation = ImageTransform{{BlobId("sha256:" + std::string(64, 'a'))}, 0.5, {}, {}};
  planned[1].pictures[BlobId("sha256:" + std::string(64, 'a'))] = "/in/put.png";
  RunHeader local = header(4);
  local.local = R"({"model":"/m"})";
  {
    auto manifest = Manifest::create(folder.path(), local, planned);
    REQUIRE(manifest);
    manifest->add_image({0, {0, 5, OutputFormat::png, 8, 8, 99}, "0-0.png", "sha256:b"});
    manifest->add_image({0, {1, 6, OutputFormat::png, 8, 8, 99}, "0-1.png", "sha256:b"});
    manifest->add_completed(0, "worker-1", 1.5, R"({"steps":20})");
    manifest->add_image({1, {1, 6, OutputFormat::png, 8, 8, 99}, "1-1.png", "sha256:b"});
    manifest->add_failed(2, "worker-2", {ErrorCode::out_of_memory, "too large"});
    manifest->add_generation(3);
    manifest->add_generation(3);
    REQUIRE(manifest->sync());
  }
  const auto read = Manifest::open(folder.path());
  REQUIRE(read);
  CHECK(read->header() == local);
  REQUIRE(read->jobs().size() == 4);
  CHECK(read->jobs()[1].request == planned[1].request);
  CHECK(read->jobs()[1].pictures == planned[1].pictures);
  CHECK(read->jobs()[3].files == planned[3].files);
  CHECK(read->jobs()[3].line == 4);
  const auto& records = read->records();
  CHECK(records[0].outcome == JobOutcome::completed);
  CHECK(records[0].images == std::vector<bool>{true, true});
  CHECK(records[1].outcome == JobOutcome::open);
  CHECK(records[1].images == std::vector<bool>{false, true});
  CHECK(records[2].outcome == JobOutcome::failed);
  CHECK(records[2].error->code == ErrorCode::out_of_memory);
  CHECK(records[3].generation == 2);
}

TEST_CASE("manifest: a torn last line, cut anywhere, is cut off, and the next one stands by itself") {
  const PrivateFolder folder("waggle-test-");
  {
    auto manifest = Manifest::create(folder.path(), header(2), jobs(2));
    REQUIRE(manifest);
  }
  const std::string whole = text_of(folder);
  std::string last;
  {
    auto manifest = Manifest::open(folder.path());
    REQUIRE(manifest);
    manifest->add_completed(0, "worker-1", 0.25, "");
    REQUIRE(manifest->sync());
    last = text_of(folder).substr(whole.size());
  }
  for (std::size_t cut = 0; cut <= last.size(); ++cut) {
    REQUIRE(write_atomically(folder.path() / kManifestName, whole + last.substr(0, cut)));
    auto manifest = Manifest::open(folder.path());
    REQUIRE(manifest);
    const bool complete = cut == last.size();
    CHECK((manifest->records()[0].outcome == JobOutcome::completed) == complete);
    manifest->add_failed(1, "", {ErrorCode::internal, "x"});
    REQUIRE(manifest->sync());
    CHECK(text_of(folder).starts_with(whole + (complete ? last : "") + "{\"index\":1"));
  }
}

TEST_CASE("manifest: a broken line in the middle is told with its number") {
  const PrivateFolder folder("waggle-test-");
  { REQUIRE(Manifest::create(folder.path(), header(2), jobs(2))); }
  append(folder, "{\"index\":9,\"end\":\"completed\"}\n");
  const auto read = Manifest::open(folder.path());
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("manifest.jsonl:4: ") != std::string::npos);

  const PrivateFolder other("waggle-test-");
  REQUIRE(write_atomically(other.path() / kManifestName, text_of(folder).substr(0, 200)));
  CHECK_FALSE(Manifest::open(other.path()));
  REQUIRE(write_atomically(other.path() / kManifestName, "{\"batch\":2}\n"));
  CHECK_FALSE(Manifest::open(other.path()));
}

TEST_CASE("manifest: two runs cannot be at work in one folder") {
  const PrivateFolder folder("waggle-test-");
  auto first = Manifest::create(folder.path(), header(1), jobs(1));
  REQUIRE(first);
  const auto second = Manifest::open(folder.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::unavailable);
  first->discard();
  CHECK_FALSE(Manifest::exists(folder.path()));
}
