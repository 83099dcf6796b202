// Draws the questions and counts the answers; what is right is judge.cpp's business.
#include "tests/demo/exam.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "tests/demo/judge.h"

namespace waggle::demo {
namespace {

std::string row(const char* label, const Tally& tally) {
  std::array<char, 120> line{};
  const auto percent = [&](int right) { return tally.asked == 0 ? 0.0 : 100.0 * right / tally.asked; };
  std::snprintf(line.data(), line.size(), "%-22s %6d %8.1f %% %8.1f %% %12.1f %% %8.1f %%\n", label,
                tally.asked, percent(tally.ground_right), percent(tally.colors_right),
                percent(tally.figures_right), percent(tally.all_right));
  return line.data();
}

}  // namespace

std::vector<Question> questions(int count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<Question> all;
  for (int i = 0; i < count; ++i) {
    Question question;
    question.held_out = i % 2 == 1;
    question.scene =
        question.held_out ? training::held_out_scene(generator) : training::random_scene(generator);
    do {
      question.caption = training::caption(question.scene, generator);
    } while (!std::all_of(question.caption.figures.begin(), question.caption.figures.end(),
                          [](const training::FigureWords& said) { return said.color; }));
    question.seed = static_cast<std::int64_t>(generator() >> 32);
    all.push_back(std::move(question));
  }
  return all;
}

Answer judged(Question question, pipeline::Picture picture) {
  const Seen seen = look_at(picture);
  Answer answer;
  answer.ground_right = has_ground_of(question.scene, question.caption, seen);
  answer.colors_right = has_colors_of(question.scene, seen);
  answer.figures_right = has_figures_of(question.scene, seen);
  answer.wrong = disagreements(question.scene, question.caption, seen);
  answer.seen = in_words(seen);
  answer.question = std::move(question);
  answer.picture = std::move(picture);
  return answer;
}

Tally tally(const std::vector<Answer>& answers, bool held_out) {
  Tally counted;
  for (const Answer& answer : answers) {
    if (answer.question.held_out != held_out) continue;
    ++counted.asked;
    counted.ground_right += answer.ground_right ? 1 : 0;
    counted.colors_right += answer.colors_right ? 1 : 0;
    counted.figures_right += answer.figures_right ? 1 : 0;
    counted.all_right += answer.wrong.empty() ? 1 : 0;
  }
  return counted;
}

std::string table(const std::vector<Answer>& answers) {
  std::string text = "                        asked     ground    colours  and shapes too    all said\n";
  text += row("seen combinations", tally(answers, false));
  text += row("held-out combinations", tally(answers, true));
  return text;
}

}  // namespace waggle::demo
