// Weights on disk through the pipeline's face: the same picture, to the bit, with and without them.
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "pipeline/pipeline.h"
#include "tests/pipeline/engine/one_render.h"

using namespace waggle;
using namespace waggle::pipeline;
using waggle::pipeline::testing::OneRender;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("waggle-cache-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] std::vector<fs::path> weights() const {
    std::vector<fs::path> files;
    if (!fs::exists(path_)) return files;
    for (const auto& entry : fs::directory_iterator(path_))
      if (entry.path().extension() == ".weights") files.push_back(entry.path());
    return files;
  }

 private:
  fs::path path_;
};

struct Rendered {
  Picture picture;
  std::vector<std::string> log;
};

Rendered render(Precision precision, const fs::path& cache) {
  Rendered out;
  Options options;
  options.precision = precision;
  options.threads = 1;
  options.weight_cache = cache;
  options.log = [&out](const std::string& line) { out.log.push_back(line); };
  Pipeline pipeline(options);
  REQUIRE(pipeline.load(WAGGLE_DEMO_MODEL, "shapes"));
  JobRequest r;
  r.model = "shapes";
  r.prompt = "a red circle, white background";
  r.seed = 4;
  r.steps = 2;
  r.operation = ImageGeneration{128, 128};
  OneRender one(pipeline, r);
  out.picture = one.picture();
  return out;
}

}  // namespace

TEST_CASE("weight cache: the same picture without it, when it is written, and out of it") {
  for (const Precision precision : {Precision::automatic, Precision::fp32, Precision::int8}) {
    INFO(name(precision));
    const Folder folder;
    const auto without = render(precision, {}), first = render(precision, folder.path());
    const auto files = folder.weights();
    CHECK(files.size() == 3);  // text encoder, UNet, VAE
    const auto second = render(precision, folder.path());
    CHECK(without.picture.samples == first.picture.samples);
    CHECK(without.picture.samples == second.picture.samples);
    CHECK(folder.weights().size() == 3);
    CHECK(first.log.empty());
    CHECK(second.log.empty());
  }
}

TEST_CASE("weight cache: each precision has its own files") {
  const Folder folder;
  render(Precision::fp32, folder.path());
  render(Precision::int8, folder.path());
  CHECK(folder.weights().size() >= 4);  // the text encoder is one for both, the VAE where int8 is over fp32
}

TEST_CASE("weight cache: a broken file is said to be, and makes the same picture") {
  const Folder folder;
  const auto whole = render(Precision::automatic, folder.path());
  for (const auto& file : folder.weights()) fs::resize_file(file, fs::file_size(file) / 2);
  const auto broken = render(Precision::automatic, folder.path());
  CHECK(broken.picture.samples == whole.picture.samples);
  CHECK(broken.log.size() == 3);
  const auto mended = render(Precision::automatic, folder.path());
  CHECK(mended.picture.samples == whole.picture.samples);
  CHECK(mended.log.empty());
}

TEST_CASE("weight cache: a folder that cannot be made costs a line in the log") {
  const auto rendered = render(Precision::automatic, "/proc/none");
  CHECK(rendered.log.size() >= 1);
}
