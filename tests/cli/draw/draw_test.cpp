// What is written to a terminal, read back: sixels and half blocks are decoded to pixels again, files to the
// picture that went in.
#include "consumer/cli/draw/draw.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "schemas/codec/base64.h"

using namespace waggle;
using namespace waggle::cli;

namespace {

pipeline::Picture filled(int width, int height, auto colour_at) {
  pipeline::Picture picture{.width = width, .height = height, .channels = 3, .samples = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int channel : colour_at(x, y)) picture.samples.push_back(static_cast<std::uint8_t>(channel));
    }
  }
  return picture;
}

using Colour3 = std::array<int, 3>;
const auto quarters = [](int x, int y) {
  const bool right = x >= 8, low = y >= 8;
  return right ? (low ? Colour3{255, 255, 255} : Colour3{0, 255, 0})
               : (low ? Colour3{0, 0, 255} : Colour3{255, 0, 0});
};

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

/// A small terminal: reads sixels into pixels.
struct Sixels {
  std::map<int, Colour3> palette;
  std::map<std::pair<int, int>, Colour3> pixels;

  explicit Sixels(const std::string& text) {
    std::size_t at = text.find('"');
    REQUIRE(at != std::string::npos);
    int colour = 0, x = 0, top = 0, repeat = 1;
    const auto number = [&] {
      int value = 0;
      while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0)
        value = 10 * value + (text[at++] - '0');
      return value;
    };
    while (at < text.size() && text[at] != '\033') {
      const char c = text[at++];
      if (c == '"') {
        for (int i = 0; i < 4; ++i) number(), at += i < 3 ? 1 : 0;
      } else if (c == '#') {
        colour = number();
        if (text[at] != ';') continue;
        ++at, number();  // the kind
        Colour3 value{};
        for (int& channel : value) ++at, channel = number();
        palette[colour] = value;
      } else if (c == '!') {
        repeat = number();
      } else if (c == '$') {
        x = 0;
      } else if (c == '-') {
        x = 0, top += 6;
      } else {
        REQUIRE(c >= '?');
        REQUIRE(c <= '~');
        for (; repeat > 0; --repeat, ++x) {
          for (int bit = 0; bit < 6; ++bit) {
            if (((c - '?') >> bit & 1) != 0) pixels[{x, top + bit}] = palette.at(colour);
          }
        }
        repeat = 1;
      }
    }
    CHECK(text.substr(at) == "\033\\\n");
  }
};

}  // namespace

TEST_CASE("draw: a picture takes the largest size of its shape that the canvas holds") {
  const Canvas canvas{.columns = 80, .rows = 23, .cell_width = 1, .cell_height = 2, .palette = Palette::none};
  CHECK(cells_of(128, 128, canvas) == TerminalSize{46, 23});
  CHECK(cells_of(512, 128, canvas) == TerminalSize{80, 10});
  CHECK(cells_of(1, 32768, canvas) == TerminalSize{1, 23});
  CHECK(cells_of(32768, 1, canvas) == TerminalSize{80, 1});
  Canvas endless = canvas;
  endless.rows = 0;
  CHECK(cells_of(128, 128, endless) == TerminalSize{80, 40});
  CHECK(cells_of(1, 32768, endless).rows <= 1000);
}

TEST_CASE("draw: half blocks carry two pixels each, in 24 bits") {
  const auto picture = filled(2, 2, [](int x, int y) { return Colour3{x * 255, y * 255, 7}; });
  CHECK(draw_blocks(picture, Palette::direct) ==
        "\033[38;2;0;0;7;48;2;0;255;7m\u2580\033[38;2;255;0;7;48;2;255;255;7m\u2580\033[0m\n");
}

TEST_CASE("draw: half blocks in 256 colours choose the cube or the greys, whichever is nearer") {
  const auto picture = filled(1, 2, [](int, int y) {
    return y == 0 ? Colour3{255, 0, 0} : Colour3{128, 128, 128};
  });
  CHECK(draw_blocks(picture, Palette::indexed) == "\033[38;5;196;48;5;244m\u2580\033[0m\n");
}

TEST_CASE("draw: equal neighbours share one escape sequence") {
  const auto picture = filled(50, 2, [](int, int) { return Colour3{1, 2, 3}; });
  const std::string text = draw_blocks(picture, Palette::direct);
  CHECK(std::count(text.begin(), text.end(), '\033') == 2);
}

TEST_CASE("draw: without colours a picture is plain ASCII, light signs for dark pixels") {
  const auto picture = filled(4, 1, [](int x, int) { return Colour3{x * 85, x * 85, x * 85}; });
  CHECK(draw_ascii(picture, Palette::none) == " -*@\n");
  const std::string coloured = draw_ascii(picture, Palette::indexed);
  CHECK(std::all_of(coloured.begin(), coloured.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

TEST_CASE("draw: sixels of a few colours give back every pixel") {
  const auto picture = filled(16, 16, quarters);
  const Sixels read(draw_sixel(picture));
  REQUIRE(read.pixels.size() == 256);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      const Colour3 wanted = quarters(x, y);
      const Colour3 found = read.pixels.at({x, y});
      for (std::size_t i = 0; i < 3; ++i) CHECK(found[i] == wanted[i] * 100 / 255);
    }
  }
}

TEST_CASE("draw: sixels of thousands of colours come near each of them with 256") {
  const auto gradient = [](int x, int y) { return Colour3{x * 4, y * 4, 128}; };
  const auto picture = filled(64, 64, gradient);
  const Sixels read(draw_sixel(picture));
  CHECK(read.palette.size() == 256);
  REQUIRE(read.pixels.size() == 64 * 64);
  int worst = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const Colour3 wanted = gradient(x, y), found = read.pixels.at({x, y});
      for (std::size_t i = 0; i < 3; ++i) worst = std::max(worst, std::abs(found[i] * 255 / 100 - wanted[i]));
    }
  }
  CHECK(worst < 32);
}

TEST_CASE("draw: a picture of a single pixel, and one that is a line, are drawn every way") {
  const Way way = GENERATE(Way::kitty, Way::iterm2, Way::sixel, Way::blocks, Way::ascii);
  const auto [width, height] = GENERATE(std::pair{1, 1}, std::pair{3000, 1}, std::pair{1, 3000});
  const auto picture = filled(width, height, [](int, int) { return Colour3{200, 100, 50}; });
  const std::string text =
      draw(picture, way,
           {.columns = 40, .rows = 12, .cell_width = 8, .cell_height = 16, .palette = Palette::direct});
  CHECK(text.ends_with('\n'));
  CHECK(lines(text) <= 12);
}

TEST_CASE("draw: kitty is sent the picture as a PNG in chunks of at most 4096 bytes") {
  std::uint32_t state = 1;
  const auto noise = filled(100, 100, [&state](int, int) {
    state = state * 1664525 + 1013904223;
    return Colour3{static_cast<int>(state >> 24), static_cast<int>(state >> 16 & 255),
                   static_cast<int>(state >> 8 & 255)};
  });
  const std::string text = draw(noise, Way::kitty, {.columns = 80, .rows = 24, .palette = Palette::direct});
  CHECK(text.starts_with("\033_Ga=T,f=100,q=2,c=48,r=24,m=1;"));
  std::string payload;
  std::size_t chunks = 0;
  for (std::size_t at = 0; (at = text.find("\033_G", at)) != std::string::npos; ++chunks) {
    const std::size_t body = text.find(';', at) + 1, end = text.find("\033\\", at);
    CHECK(end - body <= 4096);
    const bool last = text.find("\033_G", end) == std::string::npos;
    CHECK(text.substr(at, body - at).find(last ? "m=0" : "m=1") != std::string::npos);
    payload += text.substr(body, end - body);
    at = end;
  }
  CHECK(chunks > 2);
  const auto bytes = codec::base64_decode(payload);
  REQUIRE(bytes);
  const auto picture = pipeline::decode(*bytes);
  REQUIRE(picture);
  CHECK(picture->samples == noise.samples);
}

TEST_CASE("draw: iTerm2 is sent one PNG with its size in bytes and cells") {
  const auto picture = filled(16, 16, quarters);
  const std::string text =
      draw(picture, Way::iterm2, {.columns = 32, .rows = 24, .palette = Palette::direct});
  const std::size_t colon = text.find(':'), end = text.find('\a');
  REQUIRE(end != std::string::npos);
  const auto bytes = codec::base64_decode(text.substr(colon + 1, end - colon - 1));
  REQUIRE(bytes);
  CHECK(text.find("size=" + std::to_string(bytes->size()) + ";width=32;height=16;") != std::string::npos);
  CHECK(pipeline::decode(*bytes)->samples == picture.samples);
}

TEST_CASE("draw: what is transparent is drawn on black") {
  pipeline::Picture picture{.width = 1, .height = 1, .channels = 4, .samples = {255, 255, 255, 0}};
  CHECK(draw(picture, Way::ascii, {.columns = 1, .rows = 1, .palette = Palette::none}) == " \n");
}
