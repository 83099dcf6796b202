// The scenes that the demo model learns from: what never comes up, what always does, and that a seed means
// the same scenes everywhere.
#include <set>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "pipeline/training/describe.h"
#include "pipeline/training/paint.h"
#include "pipeline/training/scene.h"

namespace waggle::training {
namespace {

TEST_CASE("scenes: a held-out combination never comes up, and every other one does", "[scenes]") {
  std::mt19937_64 generator(1);
  std::set<std::pair<Color, Shape>> met;
  for (int i = 0; i < 20000; ++i) {
    for (const Figure& figure : random_scene(generator).figures) {
      REQUIRE_FALSE(held_out(figure.color, figure.shape));
      met.emplace(figure.color, figure.shape);
    }
  }
  CHECK(met.size() == kColorCount * kShapeCount - 8);
}

TEST_CASE("scenes: those for scoring hold exactly one held-out figure, the first", "[scenes]") {
  std::mt19937_64 generator(2);
  std::set<Shape> shapes;
  for (int i = 0; i < 2000; ++i) {
    const Scene scene = held_out_scene(generator);
    REQUIRE(held_out(scene.figures[0].color, scene.figures[0].shape));
    if (scene.figures.size() == 2) REQUIRE_FALSE(held_out(scene.figures[1].color, scene.figures[1].shape));
    shapes.insert(scene.figures[0].shape);
  }
  CHECK(shapes.size() == kShapeCount);
}

TEST_CASE("scenes: figures lie inside the picture, apart from each other and from the ground's colours",
          "[scenes]") {
  std::mt19937_64 generator(3);
  for (int i = 0; i < 5000; ++i) {
    const Scene scene = random_scene(generator);
    for (const Figure& figure : scene.figures) {
      REQUIRE(figure.x - figure.radius > 0.02);
      REQUIRE(figure.y - figure.radius > 0.02);
      REQUIRE(figure.x + figure.radius < 0.98);
      REQUIRE(figure.y + figure.radius < 0.98);
      REQUIRE(figure.color != scene.ground.first);
      REQUIRE(figure.color != scene.ground.second);
      REQUIRE_FALSE((figure.outlined && (figure.shape == Shape::circle || figure.shape == Shape::ring)));
    }
    if (scene.figures.size() < 2) continue;
    const Figure &one = scene.figures[0], &other = scene.figures[1];
    const double apart = std::max(std::abs(one.x - other.x), std::abs(one.y - other.y));
    REQUIRE(apart > one.radius + other.radius + 0.03);
  }
}

TEST_CASE("scenes: any two colours are far apart for the eye", "[scenes]") {
  for (std::size_t i = 0; i < kColorCount; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Color one = static_cast<Color>(i), other = static_cast<Color>(j);
      INFO(name(one) << " and " << name(other));
      CHECK(distance(to_lab(rgb(one)), to_lab(rgb(other))) > 38);
    }
  }
}

TEST_CASE("scenes: paper is white, but for figures that white would hide; none is hidden by any",
          "[scenes]") {
  for (std::size_t i = 0; i < kColorCount; ++i) {
    for (std::size_t j = 0; j < kColorCount; ++j) {
      const auto one = static_cast<Color>(i), other = static_cast<Color>(j);
      INFO(name(one) << " and " << name(other));
      const Color paper = paper_for({{Shape::circle, one}, {Shape::star, other}});
      for (const Color figure : {one, other}) CHECK(distance(to_lab(rgb(figure)), to_lab(rgb(paper))) > 40);
    }
  }
  CHECK(paper_for({{Shape::circle, Color::red}}) == Color::white);
  CHECK(paper_for({{Shape::circle, Color::white}}) == Color::black);
  const Color for_both = paper_for({{Shape::circle, Color::white}, {Shape::ring, Color::black}});
  CHECK(for_both != Color::white);
  CHECK(for_both != Color::black);
}

TEST_CASE("scenes: paper that is not white comes up more often than by chance", "[scenes]") {
  std::mt19937_64 generator(9);
  constexpr int kCount = 2000;
  int white = 0;
  for (int i = 0; i < kCount; ++i) {
    const Scene scene = scene_on_paper(generator);
    REQUIRE(scene.ground.kind == GroundKind::plain);
    REQUIRE(scene.ground.first == paper_for(scene.figures));
    white += scene.ground.first == Color::white ? 1 : 0;
  }
  CHECK(white > kCount * 30 / 100);  // of the half that takes what comes, most
  CHECK(white < kCount * 50 / 100);
}

TEST_CASE("scenes: words leave out size, place and ground now and then, and say them now and then",
          "[scenes]") {
  std::mt19937_64 generator(4);
  int size = 0, place = 0, ground = 0, single = 0, color = 0;
  constexpr int kCount = 4000;
  for (int i = 0; i < kCount; ++i) {
    const Scene scene = random_scene(generator);
    const Caption said = caption(scene, generator);
    REQUIRE(said.figures.size() == scene.figures.size());
    size += said.figures[0].size ? 1 : 0;
    color += said.figures[0].color ? 1 : 0;
    ground += said.ground_kind ? 1 : 0;
    single += scene.figures.size() == 1 ? 1 : 0;
    place += said.place ? 1 : 0;
    // What is said is in the words.
    const std::string& text = said.text;
    if (said.figures[0].color && scene.figures[0].color == Color::green) {
      REQUIRE(text.find("green") != std::string::npos);
    }
    if (said.ground_kind && scene.ground.kind == GroundKind::striped)
      REQUIRE(text.find("strip") != std::string::npos);
    if (said.ground_kind && scene.ground.kind == GroundKind::gradient) {
      REQUIRE(text.find("gradient") != std::string::npos);
    }
  }
  for (const int share : {size, place, ground}) {
    CHECK(share > kCount / 5);
    CHECK(share < kCount * 4 / 5);
  }
  CHECK(color > kCount * 9 / 10);
  CHECK(single > kCount * 65 / 100);
  CHECK(single < kCount * 75 / 100);
}

TEST_CASE("scenes: words for lessons are silent of what one would expect alone", "[scenes]") {
  constexpr int kCount = 10000;
  std::mt19937_64 generator(6);
  int no_place = 0, no_relation = 0, no_ground = 0, no_size = 0, medium = 0;
  for (int i = 0; i < kCount; ++i) {
    const Scene scene = random_scene(generator);
    const Caption said = caption(scene, generator, Silence::of_the_usual);
    for (std::size_t f = 0; f < scene.figures.size(); ++f) {
      if (said.figures[f].size) continue;
      ++no_size;
      medium += scene.figures[f].size == Size::medium ? 1 : 0;
    }
    if (!said.ground_kind) {
      ++no_ground;
      REQUIRE(scene.ground.kind == GroundKind::plain);
      REQUIRE(scene.ground.first == paper_for(scene.figures));
    }
    if (scene.figures.size() == 1 && !said.place) {
      ++no_place;
      REQUIRE(scene.place == Place::centre);
    }
    if (scene.figures.size() == 2 && !said.relation) {
      ++no_relation;
      REQUIRE((scene.relation == Relation::left_of || scene.relation == Relation::right_of));
      const Figure& left = scene.figures[scene.relation == Relation::left_of ? 0 : 1];
      const Figure& right = scene.figures[scene.relation == Relation::left_of ? 1 : 0];
      if (left.shape != Shape::star || right.shape != Shape::heart) continue;
      REQUIRE(said.text.find("star") < said.text.find("heart"));
    }
  }
  CHECK(medium > no_size / 2);
  for (const int silent : {no_place, no_relation, no_ground}) CHECK(silent > kCount / 50);
}

TEST_CASE("scenes: a seed means the same words on every machine", "[scenes]") {
  std::mt19937_64 generator(7);
  CHECK(describe(random_scene(generator), generator) ==
        "a small blue triangle near the bottom on a plain black background");
  CHECK(describe(random_scene(generator), generator) ==
        "an image of a crescent near the bottom on a yellow background");
  CHECK(describe(held_out_scene(generator), generator) == "on a purple backdrop, a turquoise square");
}

TEST_CASE("scenes: the middle of a figure has its colour, the corners that of the ground", "[scenes]") {
  Scene scene;
  scene.figures = {{.shape = Shape::heart, .color = Color::red, .size = Size::big, .radius = 0.3}};
  scene.ground.first = scene.ground.second = Color::blue;
  for (const int side : {64, 128, 200}) {
    const auto pixels = paint(scene, side);
    REQUIRE(pixels.size() == static_cast<std::size_t>(side) * side * 3);
    const auto is = [&](int x, int y, Color color) {
      const std::uint8_t* at = pixels.data() + 3 * (static_cast<std::size_t>(y) * side + x);
      const Rgb want = rgb(color);
      return at[0] == want.r && at[1] == want.g && at[2] == want.b;
    };
    CHECK(is(side / 2, side / 2, Color::red));
    CHECK(is(0, 0, Color::blue));
    CHECK(is(side - 1, side - 1, Color::blue));
  }
}

}  // namespace
}  // namespace waggle::training
