// `render --like`: a picture tells how to make it again, to the pixel, whatever its format.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "pipeline/image/picture.h"
#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {

class Studio {
 public:
  /// `waggle render` with the golden model in fp32; the picture's path.
  std::string render(const std::string& name, std::vector<std::string> flags) {
    const std::string file = (folder_.path() / name).string();
    flags.insert(flags.begin(), {"render", "--model", WAGGLE_TEST_MODEL, "--precision", "fp32", "--threads",
                                 "1", "-o", file});
    const Run done = run("waggle", std::move(flags));
    INFO(done.output);
    REQUIRE(done.exit_status == 0);
    return file;
  }
  /// The same where an error is expected.
  Run fails(std::vector<std::string> flags) {
    flags.insert(flags.begin(),
                 {"render", "--model", WAGGLE_TEST_MODEL, "-o", (folder_.path() / "never.png").string()});
    return run("waggle", std::move(flags));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  cli::PrivateFolder folder_{"waggle-test-"};
};

std::vector<std::uint8_t> pixels(const std::string& file) {
  const auto bytes = cli::read_file(file, 100'000'000);
  REQUIRE(bytes);
  const auto picture = pipeline::decode(*bytes);
  REQUIRE(picture);
  return picture->samples;
}

/// For CHECK, which would print every pixel.
bool equal(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) { return a == b; }

const std::vector<std::string> kFlags{
    "a bee on a flower", "--negative", "wasps",     "--steps",        "3", "--size", "64x64", "--seed", "5",
    "--guidance",        "6.25",       "--sampler", "euler_ancestral"};

}  // namespace

TEST_CASE("like: a picture comes again to the pixel, from PNG, JPEG and WebP") {
  Studio studio;
  const std::string format = GENERATE("png", "jpg", "webp");
  const std::string first = studio.render("first." + format, kFlags);
  const std::string again = studio.render("again." + format, {"--like", first});
  CHECK(equal(pixels(again), pixels(first)));

  const std::string other = studio.render("other." + format, {"--like", again, "--seed", "77"});
  CHECK_FALSE(equal(pixels(other), pixels(again)));
  const auto info = nlohmann::json::parse(run("waggle", {"info", "--json", other}).output);
  CHECK(info["job"]["seed"] == 77);
  CHECK(info["job"]["prompt"] == "a bee on a flower");
  CHECK(info["job"]["negative_prompt"] == "wasps");
  CHECK(info["job"]["steps"] == 3);
  CHECK(info["program"].get<std::string>().starts_with("waggle "));
}

TEST_CASE("like: the second picture of a job comes again by itself") {
  Studio studio;
  auto flags = kFlags;
  flags.insert(flags.end(), {"-n", "2"});
  studio.render("pair.png", flags);
  const auto second = pixels(studio.path("pair-2.png"));
  const auto again = pixels(studio.render("again.png", {"--like", studio.path("pair-2.png")}));
  // Two pictures in one call of the model are summed in another order than one: a level of 255 here and
  // there.
  REQUIRE(again.size() == second.size());
  int most = 0;
  for (std::size_t i = 0; i < again.size(); ++i) most = std::max(most, std::abs(again[i] - second[i]));
  CHECK(most <= 1);
}

TEST_CASE("like: a picture made from another one asks for it, and then comes again") {
  Studio studio;
  const std::string start = studio.render("start.png", kFlags);
  const std::string made = studio.render(
      "made.png", {"a bee", "--steps", "4", "--seed", "9", "--strength", "0.5", "--init", start});
  const Run without = studio.fails({"--like", made});
  CHECK(without.exit_status == 2);
  CHECK(without.output.find("--init") != std::string::npos);
  CHECK(equal(pixels(studio.render("again.png", {"--like", made, "--init", start})), pixels(made)));
  const auto size = std::filesystem::file_size(made);
  CHECK(size < 60'000);  // its text names the other picture, and does not hold it
}

TEST_CASE("like: what is no such picture, or none at all, is an error that says so") {
  Studio studio;
  REQUIRE(cli::write_atomically(
      studio.path("bare.png"),
      pipeline::encode({.width = 1, .height = 1, .channels = 3, .samples = {1, 2, 3}}, OutputFormat::png)));
  CHECK(studio.fails({"--like", studio.path("bare.png")}).output.find("no parameters") != std::string::npos);
  CHECK(studio.fails({"--like", studio.path("missing.png")}).exit_status == 1);
  CHECK(studio.fails({}).output.find("--like") != std::string::npos);
}
