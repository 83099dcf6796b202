// The exam itself, taken by a painter that knows all and by one that mixes things up.
#include "tests/demo/exam.h"

#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/training/paint.h"

namespace waggle::demo {
namespace {

pipeline::Picture painted(const training::Scene& scene) { return {128, 128, 3, training::paint(scene, 128)}; }

TEST_CASE("demo exam: half of the questions are of held-out combinations, and all name their colours",
          "[exam]") {
  const std::vector<Question> asked = questions(100, 5);
  REQUIRE(asked.size() == 100);
  int held_out = 0;
  for (const Question& question : asked) {
    held_out += question.held_out ? 1 : 0;
    const training::Figure& first = question.scene.figures[0];
    CHECK(training::held_out(first.color, first.shape) == question.held_out);
    for (const auto& said : question.caption.figures) CHECK(said.color);
  }
  CHECK(held_out == 50);
  CHECK(questions(3, 5)[2].caption.text == asked[2].caption.text);
}

TEST_CASE("demo exam: who paints what is asked passes, who paints the neighbour's question fails", "[exam]") {
  const std::vector<Question> asked = questions(60, 6);
  std::vector<Answer> good, bad;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    good.push_back(judged(asked[i], painted(asked[i].scene)));
    bad.push_back(judged(asked[i], painted(asked[(i + 1) % asked.size()].scene)));
  }
  for (const bool held_out : {false, true}) {
    CHECK(tally(good, held_out).asked == 30);
    CHECK(tally(good, held_out).ground_right >= 29);
    CHECK(tally(good, held_out).colors_right >= 29);
    CHECK(tally(good, held_out).figures_right >= 29);
    CHECK(tally(good, held_out).all_right >= 29);
    CHECK(tally(bad, held_out).colors_right <= 6);
    CHECK(tally(bad, held_out).figures_right <= 2);
    CHECK(tally(bad, held_out).all_right <= 2);
  }
  CHECK(table(good).find("held-out combinations") != std::string::npos);
}

}  // namespace
}  // namespace waggle::demo
