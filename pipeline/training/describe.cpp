// Puts sentences together from tables of words: the figures, where they are, what is behind them.
#include "pipeline/training/describe.h"

#include <array>
#include <string_view>
#include <utility>

#include "pipeline/training/dice.h"

namespace waggle::training {
namespace {

using Text = std::string_view;

/// The first word of each list is the usual one.
std::string shape_word(Shape shape, Dice& dice) {
  static constexpr std::array<std::array<Text, 2>, kShapeCount> kWords{{{"circle", "disc"},
                                                                        {"square", "box"},
                                                                        {"triangle", "triangle"},
                                                                        {"star", "star"},
                                                                        {"ring", "ring"},
                                                                        {"cross", "plus sign"},
                                                                        {"heart", "heart"},
                                                                        {"crescent", "crescent moon"}}};
  return std::string(kWords[static_cast<std::size_t>(shape)][dice.chance(0.12) ? 1 : 0]);
}

std::string size_word(Size size, Dice& dice) {
  static constexpr std::array<std::array<Text, 4>, 3> kWords{
      {{"small", "small", "little", "tiny"},
       {"medium", "medium-sized", "medium", "middle-sized"},
       {"big", "big", "large", "huge"}}};
  return std::string(dice.one_of(kWords[static_cast<std::size_t>(size)]));
}

std::string color_word(Color color, Dice& dice) {
  if (color == Color::purple && dice.chance(0.12)) return "violet";
  if (color == Color::cyan && dice.chance(0.12)) return "turquoise";
  return std::string(name(color));
}

std::string with_article(const std::string& noun) {
  return (Text("aeiou").find(noun[0]) == Text::npos ? "a " : "an ") + noun;
}

/// "a small outlined red star", saying as much of it as chance will have.
std::string figure_phrase(const Figure& figure, bool article, FigureWords& said, Silence silence,
                          Dice& dice) {
  const double unusual = silence == Silence::of_the_usual ? 0.85 : 0.6;
  said.size = dice.chance(figure.size == Size::medium ? 0.3 : unusual);
  said.color = dice.chance(0.95);
  // An outline that is not told of would teach that figures are outlined now and then.
  said.outline = figure.outlined ? dice.chance(0.95) : dice.chance(0.08);

  std::string words;
  if (said.size) words += size_word(figure.size, dice) + " ";
  const bool as_outline = figure.outlined && said.outline && dice.chance(0.25);
  if (said.outline && !as_outline) {
    static constexpr std::array<Text, 2> kOutlined{"outlined", "hollow"}, kFilled{"filled", "solid"};
    words += std::string(dice.one_of(figure.outlined ? kOutlined : kFilled)) + " ";
  }
  if (said.color) words += color_word(figure.color, dice) + " ";
  words += shape_word(figure.shape, dice);
  if (as_outline) words = article ? "outline of " + with_article(words) : words + " outline";
  return article ? (as_outline ? "the " + words : with_article(words)) : words;
}

std::string place_phrase(Place place, Dice& dice) {
  static constexpr std::array<std::array<Text, 4>, 5> kPhrases{
      {{"in the centre", "in the middle", "in the center", "at the centre"},
       {"on the left", "on the left side", "at the left", "to the left"},
       {"on the right", "on the right side", "at the right", "to the right"},
       {"at the top", "at the top", "in the upper half", "near the top"},
       {"at the bottom", "at the bottom", "in the lower half", "near the bottom"}}};
  return std::string(dice.one_of(kPhrases[static_cast<std::size_t>(place)]));
}

std::string relation_phrase(Relation relation, Dice& dice) {
  static constexpr std::array<std::array<Text, 3>, 4> kPhrases{
      {{"left of", "to the left of", "on the left of"},
       {"right of", "to the right of", "on the right of"},
       {"above", "over", "above"},
       {"below", "under", "beneath"}}};
  return std::string(dice.one_of(kPhrases[static_cast<std::size_t>(relation)]));
}

Relation opposite(Relation relation) {
  static constexpr std::array<Relation, 4> kOpposite{Relation::right_of, Relation::left_of, Relation::below,
                                                     Relation::above};
  return kOpposite[static_cast<std::size_t>(relation)];
}

/// Where a figure is that stands in this relation to another.
Place place_in(Relation relation) {
  static constexpr std::array<Place, 4> kPlaces{Place::left, Place::right, Place::top, Place::bottom};
  return kPlaces[static_cast<std::size_t>(relation)];
}

std::string two_figures(const Scene& scene, bool article, Caption& said, Silence silence, Dice& dice) {
  const std::string first = figure_phrase(scene.figures[0], article, said.figures[0], silence, dice);
  const std::string second = figure_phrase(scene.figures[1], article, said.figures[1], silence, dice);
  const Relation relation = scene.relation;
  const bool across = relation == Relation::left_of || relation == Relation::right_of;
  if (silence == Silence::of_anything)
    said.relation = dice.chance(0.85);
  else
    said.relation = !across || dice.chance(0.6);
  if (!said.relation) {
    const bool in_order = silence == Silence::of_anything ? dice.chance(0.5) : relation == Relation::left_of;
    return in_order ? first + " and " + second : second + " and " + first;
  }
  switch (dice.below(4)) {
    case 0:
      return first + " " + place_phrase(place_in(relation), dice) + (dice.chance(0.5) ? " and " : ", ") +
             second + " " + place_phrase(place_in(opposite(relation)), dice);
    case 1:
      return second + " " + relation_phrase(opposite(relation), dice) + " " + first;
    default:
      return first + " " + relation_phrase(relation, dice) + " " + second;
  }
}

std::string figures_phrase(const Scene& scene, Caption& said, Silence silence, Dice& dice) {
  const bool article = dice.chance(0.75);
  if (scene.figures.size() == 2) return two_figures(scene, article, said, silence, dice);
  std::string words = figure_phrase(scene.figures[0], article, said.figures[0], silence, dice);
  // In the middle is where one expects a figure of which nothing is said.
  const double off_centre = silence == Silence::of_the_usual ? 1.0 : 0.7;
  said.place = dice.chance(scene.place == Place::centre ? 0.4 : off_centre);
  if (said.place) words.append(" ").append(place_phrase(scene.place, dice));
  return words;
}

std::string ground_word(Dice& dice) {
  static constexpr std::array<Text, 4> kWords{"background", "background", "backdrop", "ground"};
  return std::string(dice.one_of(kWords));
}

/// "a blue background", "red and white stripes", "a gradient from blue to white". No preposition.
std::string ground_phrase(const Ground& ground, bool article, Caption& said, Dice& dice) {
  const auto noun = [&](const std::string& words) { return article ? with_article(words) : words; };
  const std::string first = color_word(ground.first, dice), second = color_word(ground.second, dice);
  if (ground.kind == GroundKind::plain) {
    said.ground_colors = true;
    const std::string kind = dice.chance(0.15) ? "plain " : "";
    return noun(kind + first + " " + ground_word(dice));
  }
  said.ground_colors = dice.chance(0.75);
  if (ground.kind == GroundKind::gradient) {
    if (!said.ground_colors) return noun("gradient " + (dice.chance(0.5) ? ground_word(dice) : "background"));
    if (dice.chance(0.3)) {
      const bool down = ground.direction == Direction::horizontal;
      said.ground_direction = true;
      return noun("gradient from " + first + (down ? " at the top to " : " on the left to ") + second +
                  (down ? " at the bottom" : " on the right"));
    }
    return dice.chance(0.5)
               ? noun("gradient from " + first + " to " + second)
               : noun(first + " to " + second + " gradient" + (dice.chance(0.4) ? " background" : ""));
  }
  static constexpr std::array<Text, 3> kRuns{"horizontal ", "vertical ", "diagonal "};
  const std::string run =
      dice.chance(0.4) ? std::string(kRuns[static_cast<std::size_t>(ground.direction)]) : std::string();
  // Which of two stripes is named first means nothing.
  const std::string colors = dice.chance(0.5) ? first + " and " + second : second + " and " + first;
  const bool as_ground = dice.chance(0.5) != said.ground_colors;
  said.ground_direction = !as_ground && !run.empty();
  if (!said.ground_colors) return as_ground ? noun("striped " + ground_word(dice)) : run + "stripes";
  return as_ground ? noun(colors + " striped " + ground_word(dice)) : run + colors + " stripes";
}

bool is_on_paper(const Scene& scene) {
  return scene.ground.kind == GroundKind::plain && scene.ground.first == paper_for(scene.figures);
}

std::string before_ground(const std::string& figures, const std::string& ground, bool article, Dice& dice) {
  if (!article) return dice.chance(0.5) ? figures + ", " + ground : figures + " on " + ground;
  static constexpr std::array<Text, 5> kJoins{" on ", " on ", " on ", " against ", " in front of "};
  return figures + std::string(dice.one_of(kJoins)) + ground;
}

}  // namespace

Caption caption(const Scene& scene, std::mt19937_64& generator, Silence silence) {
  Dice dice(generator);
  Caption said;
  said.figures.resize(scene.figures.size());
  const std::string figures = figures_phrase(scene, said, silence, dice);
  if (silence == Silence::of_anything)
    said.ground_kind = dice.chance(0.75);
  else
    said.ground_kind = !is_on_paper(scene) || dice.chance(0.25);
  if (!said.ground_kind) {
    said.text = figures;
  } else {
    const bool article = dice.chance(0.7);
    const std::string ground = ground_phrase(scene.ground, article, said, dice);
    if (dice.chance(0.15)) {
      said.text = (article ? "on " : "") + ground +
                  (dice.chance(0.5) ? ", "
                   : article        ? ", there is "
                                    : " with ") +
                  figures;
      return said;
    }
    said.text = before_ground(figures, ground, article, dice);
  }
  static constexpr std::array<Text, 4> kOpenings{"a picture of ", "a drawing of ", "an image of ",
                                                 "there is "};
  if (dice.chance(0.12)) said.text = std::string(dice.one_of(kOpenings)) + said.text;
  return said;
}

std::string describe(const Scene& scene, std::mt19937_64& generator, Silence silence) {
  return caption(scene, generator, silence).text;
}

}  // namespace waggle::training
