// What a demo model is asked, and how its answers are counted. Renders nothing itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/image/picture.h"
#include "pipeline/training/describe.h"
#include "pipeline/training/scene.h"

namespace waggle::demo {

struct Question {
  training::Scene scene;
  training::Caption caption;
  bool held_out = false;  ///< whether its first figure is of a combination that no training picture has
  std::int64_t seed = 0;  ///< of the picture
};

/// Every second one with a held-out combination. Captions as they come, but that the colour of each figure is
/// said.
std::vector<Question> questions(int count, std::uint64_t seed);

struct Answer {
  Question question;
  pipeline::Picture picture;
  bool ground_right = false;       ///< as far as it was told of
  bool colors_right = false;       ///< number and colours of the figures
  bool figures_right = false;      ///< number, colours and shapes
  std::vector<std::string> wrong;  ///< of all that was said; empty: nothing
  std::string seen;                ///< what the judge saw, in words
};

Answer judged(Question question, pipeline::Picture picture);

struct Tally {
  int asked = 0, ground_right = 0, colors_right = 0, figures_right = 0, all_right = 0;
};
Tally tally(const std::vector<Answer>& answers, bool held_out);

/// For people: shares of both kinds, what went wrong how often.
std::string table(const std::vector<Answer>& answers);

}  // namespace waggle::demo
