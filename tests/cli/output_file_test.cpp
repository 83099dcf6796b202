// Names, formats and the promise that a file is whole or absent.
#include "consumer/cli/output_file.h"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "consumer/cli/private_folder.h"

using namespace waggle;
using namespace waggle::cli;

namespace {
std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
}  // namespace

TEST_CASE("output: the ending says the format") {
  CHECK(format_of("a.png").value() == OutputFormat::png);
  CHECK(format_of("a.JPG").value() == OutputFormat::jpeg);
  CHECK(format_of("dir.d/a.jpeg").value() == OutputFormat::jpeg);
  CHECK(format_of("a.webp").value() == OutputFormat::webp);
  for (const char* name : {"a", "a.gif", "png", ".png", "a.png/", ""}) {
    INFO(name);
    CHECK_FALSE(format_of(name));
  }
}

TEST_CASE("output: several images are numbered from one, one is not") {
  CHECK(numbered("pictures/fox.png", 0, 1) == "pictures/fox.png");
  CHECK(numbered("pictures/fox.png", 0, 3) == "pictures/fox-1.png");
  CHECK(numbered("fox.v2.webp", 11, 12) == "fox.v2-12.webp");
}

TEST_CASE("output: a file is replaced as a whole and nothing else is left") {
  const PrivateFolder folder("waggle-test-");
  const auto file = folder.path() / "out.png";
  REQUIRE(write_atomically(file, "first"));
  REQUIRE(write_atomically(file, std::string(100'000, 'x')));
  CHECK(std::filesystem::file_size(file) == 100'000);
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("output: what a killed writer left is taken over by its next try") {
  const PrivateFolder folder("waggle-test-");
  const auto file = folder.path() / "out.png";
  std::ofstream(folder.path() / "out.png.night.part") << std::string(1000, 'y');
  REQUIRE(write_atomically(file, "whole", "night"));
  CHECK(read_file(file, 100).value() == "whole");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("output: a write that fails leaves nothing and names the file") {
  const PrivateFolder folder("waggle-test-");
  const auto target = folder.path() / "out.png";
  std::filesystem::create_directories(target / "in the way");
  const auto written = write_atomically(target, "bytes");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::io_error);
  CHECK(written.error().message.find("out.png") != std::string::npos);
  CHECK(entries(folder.path()) == 1);
  CHECK_FALSE(check_writable(target));
  CHECK_FALSE(check_writable(folder.path() / "absent" / "out.png"));
  CHECK(check_writable(folder.path() / "other.png"));
}

TEST_CASE("output: reading refuses what is too large before it is read") {
  const PrivateFolder folder("waggle-test-");
  const auto file = folder.path() / "picture.png";
  std::ofstream(file) << "12345";
  CHECK(read_file(file, 5).value() == "12345");
  CHECK(read_file(file, 4).error().code == ErrorCode::payload_too_large);
  CHECK(read_file(folder.path() / "absent", 4).error().code == ErrorCode::io_error);
  CHECK_FALSE(read_file(folder.path(), 1 << 20));
}
