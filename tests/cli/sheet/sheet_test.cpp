// Contact sheets: what is on them where, words of any language, and files that must not be lost.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "consumer/cli/sheet/caption.h"
#include "consumer/cli/sheet/contact_sheet.h"
#include "consumer/cli/sheet/sheet_files.h"
#include "pipeline/image/picture.h"

using namespace waggle;
using namespace waggle::cli;

namespace {

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kRed{255, 0, 0}, kGreen{0, 255, 0}, kWhite{255, 255, 255};

pipeline::Picture plain(int width, int height, Colour colour) {
  pipeline::Picture picture{width, height, 3, {}};
  for (int i = 0; i < width * height; ++i) {
    for (const std::uint8_t sample : colour) picture.samples.push_back(sample);
  }
  return picture;
}

Colour at(const pipeline::Picture& picture, int x, int y) {
  const auto* sample = picture.samples.data() + 3 * (y * picture.width + x);
  return {sample[0], sample[1], sample[2]};
}

/// The box around all pixels of a colour: left, top, right and bottom, the latter two outside.
std::array<int, 4> box_of(const pipeline::Picture& picture, Colour colour) {
  std::array<int, 4> box{picture.width, picture.height, 0, 0};
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      if (at(picture, x, y) != colour) continue;
      box = {std::min(box[0], x), std::min(box[1], y), std::max(box[2], x + 1), std::max(box[3], y + 1)};
    }
  }
  return box;
}

/// Dark pixels below this row: the ink of captions.
long ink_below(const pipeline::Picture& picture, int top) {
  long dark = 0;
  for (int y = top; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) dark += at(picture, x, y)[0] < 128 ? 1 : 0;
  }
  return dark;
}

SheetLayout layout(int columns, int tile, int lines = 2) {
  SheetLayout made;
  made.columns = columns;
  made.tile = tile;
  made.lines = lines;
  return made;
}

}  // namespace

TEST_CASE("sheet: pictures stand in rows, scaled to the tile with their proportions kept") {
  ContactSheet sheet(layout(2, 64));
  sheet.add(plain(32, 32, kRed), "");
  sheet.add(plain(256, 128, kGreen), "");
  const auto drawn = sheet.draw();
  const auto red = box_of(drawn, kRed), green = box_of(drawn, kGreen);
  CHECK(red[2] - red[0] == 64);
  CHECK(red[3] - red[1] == 64);
  CHECK(green[2] - green[0] == 64);
  CHECK(green[3] - green[1] == 32);
  CHECK(red[2] < green[0]);
  CHECK(red[1] + 16 == green[1]);  // in the middle of its row
  CHECK(at(drawn, 0, 0) == kWhite);
}

TEST_CASE("sheet: a long caption gets its lines and no more, and makes its row higher") {
  const auto height = [](const std::string& caption, int lines) {
    ContactSheet sheet(layout(1, 128, lines));
    sheet.add(plain(8, 8, kRed), caption);
    return sheet.draw().height;
  };
  std::string words;
  for (int i = 0; i < 200; ++i) words += "flower ";
  const int none = height("", 4), one = height("fox", 4), four = height(words, 4);
  CHECK(one > none);
  CHECK(four - none > 2 * (one - none));
  CHECK(four - none < 6 * (one - none));
  CHECK(height(words, 0) == none);
  CHECK(height(words, 1) == one);
}

TEST_CASE("sheet: words of any script leave ink, and broken bytes do no harm") {
  for (const char* words : {"a fox", "лиса в снегу", "αλεπού", "ثعلب", "fox \xff\xfe\xc3", "\xe7\x8b\x90"}) {
    ContactSheet sheet(layout(1, 128));
    sheet.add(plain(8, 8, kRed), words);
    const auto drawn = sheet.draw();
    INFO(words);
    CHECK(ink_below(drawn, box_of(drawn, kRed)[3]) > 10);
  }
}

TEST_CASE("sheet: transparency lies on white") {
  pipeline::Picture clear{4, 4, 4, std::vector<std::uint8_t>(64, 0)};
  ContactSheet sheet(layout(1, 32, 0));
  sheet.add(clear, "");
  const auto drawn = sheet.draw();
  CHECK(std::all_of(drawn.samples.begin(), drawn.samples.end(), [](auto sample) { return sample == 255; }));
}

TEST_CASE("sheet: an empty one and one with a heading alone can be drawn") {
  CHECK(ContactSheet(layout(0, 64)).draw().width > 0);
  SheetLayout headed = layout(0, 64);
  headed.heading = "Monday";
  CHECK(ContactSheet(headed).draw().height > ContactSheet(layout(0, 64)).draw().height);
}

TEST_CASE("sheet: what does not fit one sheet is known before it is drawn") {
  CHECK(ContactSheet(layout(0, 2048)).most_pictures() >= 1);
  CHECK(ContactSheet(layout(0, 256)).most_pictures() > 100);
  ContactSheet wide(layout(200, 2048, 0));
  for (int i = 0; i < 20; ++i) wide.add(plain(1, 1, kRed), "");
  CHECK_THROWS_AS(wide.draw(), std::runtime_error);
}

TEST_CASE("sheet: the caption is the prompt that the picture carries, in every format") {
  const std::string parameters =
      "a fox,\nin  the snow\nNegative prompt: blur\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1";
  for (const auto format : {OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp}) {
    const auto bytes = pipeline::encode(plain(16, 16, kRed), format, {{"parameters", parameters}});
    const auto text = pipeline::read_text(bytes);
    REQUIRE(text);
    CHECK(caption_of(*text) == "a fox, in the snow");
  }
  CHECK(caption_of({}).empty());
  CHECK(caption_of({{"Comment", "hello"}}).empty());
}

TEST_CASE("sheet: files and folders become one sheet, several when one is too small") {
  const PrivateFolder folder("waggle-test-");
  const auto inside = folder.path() / "pictures";
  std::filesystem::create_directory(inside);
  for (const char* name : {"b.png", "a.png"})
    REQUIRE(write_atomically(inside / name, pipeline::encode(plain(8, 8, kRed), OutputFormat::png)));
  REQUIRE(write_atomically(inside / "notes.txt", "no picture"));

  const auto files = picture_files({inside, inside / "b.png"});
  REQUIRE(files);
  CHECK(*files == std::vector<std::filesystem::path>{inside / "a.png", inside / "b.png", inside / "b.png"});
  CHECK_FALSE(picture_files({inside / "c.png"}));
  CHECK_FALSE(picture_files({}));

  const auto out = folder.path() / "sheet.png";
  const auto one = write_sheets(out, *files, layout(0, 64));
  REQUIRE(one);
  CHECK(*one == std::vector<std::filesystem::path>{out});
  CHECK(is_sheet(out));
  CHECK_FALSE(is_sheet(inside / "a.png"));

  const std::vector<std::filesystem::path> many(
      static_cast<std::size_t>(ContactSheet(layout(1, 2048)).most_pictures()) + 1, inside / "a.png");
  const auto two = write_sheets(out, many, layout(1, 2048));
  REQUIRE(two);
  CHECK(two->size() == 2);
  CHECK(std::filesystem::exists(folder.path() / "sheet-2.png"));
}

TEST_CASE("sheet: a file that is no picture is named") {
  const PrivateFolder folder("waggle-test-");
  const auto file = folder.path() / "broken.png";
  REQUIRE(write_atomically(file, "not a picture"));
  const auto written = write_sheets(folder.path() / "sheet.png", {file}, layout(0, 64));
  REQUIRE_FALSE(written);
  CHECK(written.error().message.find("broken.png") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "sheet.png"));
}
