// The judge against pictures of which is known what they show: drawn ones, clean and made worse, and wrong
// ones.
#include "tests/demo/judge.h"

#include <array>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "pipeline/training/dice.h"
#include "pipeline/training/paint.h"
#include "tests/demo/degrade.h"

namespace waggle::demo {
namespace {

using namespace training;

pipeline::Picture painted(const Scene& scene, int side = 128) { return {side, side, 3, paint(scene, side)}; }

/// As if all there is to say had been said.
Caption everything(const Scene& scene) {
  Caption caption;
  caption.figures.assign(scene.figures.size(), {.color = true, .size = true, .outline = true});
  caption.place = caption.relation = caption.ground_kind = caption.ground_colors = true;
  caption.ground_direction = scene.ground.kind != GroundKind::plain;
  return caption;
}

/// How many of so many scenes are found right in every respect after `spoil` had the picture.
template <typename Spoil>
int found_right(int scenes, std::uint64_t seed, int side, Spoil spoil) {
  std::mt19937_64 generator(seed);
  int right = 0;
  for (int i = 0; i < scenes; ++i) {
    const Scene scene = i % 2 == 0 ? random_scene(generator) : held_out_scene(generator);
    const Seen seen = look_at(spoil(painted(scene, side), generator));
    const auto wrong = disagreements(scene, everything(scene), seen);
    if (wrong.empty()) {
      ++right;
    } else {
      UNSCOPED_INFO(describe(scene, generator) << " -> " << in_words(seen));
    }
  }
  return right;
}

const auto kAsItIs = [](pipeline::Picture picture, std::mt19937_64&) { return picture; };
const auto kSoft = [](const pipeline::Picture& picture, std::mt19937_64& generator) {
  return degraded(picture, {.blur = 1.0, .noise = 6, .shift = 6, .wobble = 0.7}, generator);
};
const auto kHarsh = [](const pipeline::Picture& picture, std::mt19937_64& generator) {
  return degraded(picture, {.blur = 1.4, .noise = 10, .shift = 10, .wobble = 1.2}, generator);
};

/// Half the pixels in each direction and back, then noise, then JPEG.
const auto kCoarse = [](const pipeline::Picture& picture, std::mt19937_64& generator) {
  pipeline::Picture small{picture.width / 2, picture.height / 2, 3, {}};
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width * 3; ++x) {
      const auto at = [&](int v, int u) {
        return picture.samples[static_cast<std::size_t>(v * picture.width * 3 + u)];
      };
      const int u = x / 3 * 6 + x % 3;
      small.samples.push_back(static_cast<std::uint8_t>(
          (at(2 * y, u) + at(2 * y, u + 3) + at(2 * y + 1, u) + at(2 * y + 1, u + 3) + 2) / 4));
    }
  }
  pipeline::Picture large = picture;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width * 3; ++x) {
      large.samples[static_cast<std::size_t>(y * picture.width * 3 + x)] =
          small.samples[static_cast<std::size_t>(y / 2 * small.width * 3 + x / 6 * 3 + x % 3)];
    }
  }
  const pipeline::Picture worse = degraded(large, {.blur = 0.8, .noise = 5}, generator);
  return *pipeline::decode(pipeline::encode(worse, OutputFormat::jpeg));
};

Color other_color(Color color, const Ground& ground, Dice& dice) {
  Color other = color;
  while (other == color || other == ground.first || other == ground.second) {
    other = static_cast<Color>(dice.below(kColorCount));
  }
  return other;
}

/// The scene with one thing changed that its picture must not pass for.
Scene changed_in(int respect, Scene scene, Dice& dice) {
  Figure& figure = scene.figures[0];
  switch (respect) {
    case 0:
      figure.color = other_color(figure.color, scene.ground, dice);
      break;
    case 1:
      figure.shape = static_cast<Shape>((static_cast<std::size_t>(figure.shape) + 1 + dice.below(7)) % 8);
      break;
    case 2:
      figure.size = static_cast<Size>((static_cast<std::size_t>(figure.size) + 1 + dice.below(2)) % 3);
      break;
    case 3:
      figure.outlined = !figure.outlined;
      break;
    case 4:
      scene.place = static_cast<Place>((static_cast<std::size_t>(scene.place) + 1 + dice.below(4)) % 5);
      scene.relation =
          static_cast<Relation>((static_cast<std::size_t>(scene.relation) + 1 + dice.below(3)) % 4);
      break;
    case 5:
      scene.ground.first = other_color(scene.ground.first, scene.ground, dice);
      break;
    case 6:
      scene.ground.kind = static_cast<GroundKind>((static_cast<std::size_t>(scene.ground.kind) + 1) % 3);
      break;
    default:
      scene.figures.push_back(figure);
  }
  return scene;
}

TEST_CASE("demo judge: clean drawings are found right", "[judge]") {
  CHECK(found_right(400, 1, 128, kAsItIs) >= 396);
}

TEST_CASE("demo judge: soft, noisy and slightly bent drawings are found right", "[judge]") {
  CHECK(found_right(300, 2, 128, kSoft) >= 297);
}

TEST_CASE("demo judge: half the pixels, noise and JPEG leave nearly all right", "[judge]") {
  CHECK(found_right(200, 3, 128, kCoarse) >= 196);
}

TEST_CASE("demo judge: the size of the picture does not matter", "[judge]") {
  CHECK(found_right(60, 4, 192, kSoft) >= 59);
  CHECK(found_right(40, 5, 256, kAsItIs) >= 39);
}

TEST_CASE("demo judge: thousands of drawings, clean and bad", "[.slow][judge]") {
  CHECK(found_right(4000, 6, 128, kAsItIs) >= 3980);
  CHECK(found_right(4000, 7, 128, kSoft) >= 3960);
  CHECK(found_right(4000, 8, 128, kHarsh) >= 3920);
  CHECK(found_right(2000, 9, 128, kCoarse) >= 1970);
}

TEST_CASE("demo judge: pictures of other prompts are rarely right", "[judge]") {
  std::mt19937_64 generator(10);
  int passed = 0, figures_passed = 0;
  constexpr int kPairs = 300;
  Seen seen = look_at(painted(random_scene(generator)));
  for (int i = 0; i < kPairs; ++i) {
    // What is asked is a caption as they come, with as little in it as it happens to say.
    const Scene asked = random_scene(generator);
    const Caption caption = training::caption(asked, generator);
    passed += disagreements(asked, caption, seen).empty() ? 1 : 0;
    figures_passed += has_figures_of(asked, seen) ? 1 : 0;
    seen = look_at(painted(random_scene(generator)));
  }
  CHECK(passed <= kPairs / 50);
  CHECK(figures_passed <= kPairs / 50);
}

TEST_CASE("demo judge: one thing that is not as said is noticed", "[judge]") {
  static const std::array<std::string, 8> names{"colour", "shape",         "size",   "outline",
                                                "place",  "ground colour", "ground", "number"};
  for (int respect = 0; respect < 8; ++respect) {
    std::mt19937_64 generator(20 + static_cast<std::uint64_t>(respect));
    Dice dice(generator);
    int missed = 0;
    for (int i = 0; i < 30; ++i) {
      Scene scene = random_scene(generator);
      // With two figures, one that is changed can come to be as the other was.
      while (scene.figures.size() > 1) scene = random_scene(generator);
      const Seen seen = look_at(painted(scene));
      const Scene wanted = changed_in(respect, scene, dice);
      missed += disagreements(wanted, everything(wanted), seen).empty() ? 1 : 0;
    }
    INFO(names[static_cast<std::size_t>(respect)]);
    CHECK(missed <= 1);
  }
}

TEST_CASE("demo judge: nothing, noise and a flat colour are no figures of any scene", "[judge]") {
  std::mt19937_64 generator(30);
  Dice dice(generator);
  pipeline::Picture flat{128, 128, 3, std::vector<std::uint8_t>(128 * 128 * 3, 140)};
  CHECK(look_at(flat).figures.empty());
  pipeline::Picture noise = flat;
  for (auto& sample : noise.samples) sample = static_cast<std::uint8_t>(dice.below(256));
  for (int i = 0; i < 50; ++i) {
    const Scene scene = random_scene(generator);
    CHECK_FALSE(has_figures_of(scene, look_at(flat)));
    CHECK_FALSE(has_figures_of(scene, look_at(noise)));
  }
}

}  // namespace
}  // namespace waggle::demo
