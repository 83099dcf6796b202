// Questions about scenes, and an encoder that learns to answer them.
#include "pipeline/training/reading.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "pipeline/models/config.h"
#include "pipeline/training/describe.h"
#include "pipeline/training/dice.h"
#include "pipeline/training/mixed_operations.h"
#include "pipeline/training/paint.h"
#include "pipeline/training/recipe.h"

namespace waggle::training {
namespace {

constexpr int kThumbnail = 8;  // pixels of its side
constexpr std::int64_t kFigureChoices = kShapeCount + kColorCount + 3 + 2;
constexpr std::int64_t kGroundChoices = 3 + 3 + kColorCount, kPlaces = 5, kRelations = 2;
constexpr double kThumbnailWeight = 2.0;

/// The figure that lies further left or further up comes first.
std::vector<Figure> in_order(const Scene& scene) {
  std::vector<Figure> figures = scene.figures;
  if (figures.size() == 2 && figures[0].x + figures[0].y > figures[1].x + figures[1].y)
    std::swap(figures[0], figures[1]);
  return figures;
}

void answer(const Scene& scene, float* out) {
  const auto figures = in_order(scene);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    float* at = out + static_cast<std::int64_t>(i) * kFigureChoices;
    at[static_cast<std::size_t>(figures[i].shape)] = 1;
    at[kShapeCount + static_cast<std::size_t>(figures[i].color)] = 1;
    at[kShapeCount + kColorCount + static_cast<std::size_t>(figures[i].size)] = 1;
    at[kShapeCount + kColorCount + 3 + (figures[i].outlined ? 1 : 0)] = 1;
  }
  float* ground = out + 2 * kFigureChoices;
  ground[static_cast<std::size_t>(scene.ground.kind)] = 1;
  if (scene.ground.kind != GroundKind::plain)
    ground[3 + static_cast<std::size_t>(scene.ground.direction)] = 1;
  ground[6 + static_cast<std::size_t>(scene.ground.first)] = 1;
  ground[6 + static_cast<std::size_t>(scene.ground.second)] = 1;
  float* layout = ground + kGroundChoices;
  const bool beside = scene.relation == Relation::left_of || scene.relation == Relation::right_of;
  if (figures.size() == 1)
    layout[static_cast<std::size_t>(scene.place)] = 1;
  else
    layout[kPlaces + (beside ? 0 : 1)] = 1;
}

}  // namespace

std::int64_t choice_count() { return 2 * kFigureChoices + kGroundChoices + kPlaces + kRelations; }

Answers answers_of(const std::vector<Scene>& scenes) {
  const auto count = static_cast<std::int64_t>(scenes.size());
  Answers out{at::zeros({count, choice_count()}), at::empty({count, kThumbnail * kThumbnail * 3}, at::kByte)};
  for (std::int64_t i = 0; i < count; ++i) {
    const Scene& scene = scenes[static_cast<std::size_t>(i)];
    answer(scene, out.choices.data_ptr<float>() + i * choice_count());
    const auto painted = paint(scene, kThumbnail);
    std::copy(painted.begin(), painted.end(),
              out.thumbnail.data_ptr<std::uint8_t>() + i * kThumbnail * kThumbnail * 3);
  }
  out.thumbnail = out.thumbnail.to(at::kFloat).div_(127.5).sub_(1.0);
  return out;
}

pipeline::ClipTextConfig clip_config(const pipeline::Tokenizer& tokenizer) {
  return pipeline::ClipTextConfig::from({text_config(static_cast<std::int64_t>(tokenizer.vocabulary_size()),
                                                     tokenizer.begin_of_text(), tokenizer.end_of_text()),
                                         "text_encoder/config.json"});
}

at::Tensor token_rows(const pipeline::Tokenizer& tokenizer, const std::vector<std::string>& captions,
                      std::size_t padding) {
  std::size_t longest = 0;
  for (const auto& caption : captions) longest = std::max(longest, tokenizer.encode(caption).size());
  const std::size_t length = std::min<std::size_t>(longest + 2 + padding, kTextLength);
  at::Tensor rows =
      at::empty({static_cast<std::int64_t>(captions.size()), static_cast<std::int64_t>(length)}, at::kLong);
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const auto ids = tokenizer.encode_padded(captions[i], length);
    std::copy(ids.begin(), ids.end(), rows.data_ptr<std::int64_t>() + i * length);
  }
  return rows;
}

Reader::Reader(std::uint64_t seed, at::ScalarType precision, const pipeline::Tokenizer& tokenizer)
    : parameters_(seed),
      head_(seed),
      operations_(mixed_operations(precision)),
      tokenizer_(tokenizer),
      text_(pipeline::Builder(parameters_, *operations_), clip_config(tokenizer)) {
  const pipeline::Builder head(head_, *operations_, nullptr, "head");
  choices_ = head.linear("choices", text_.config().width, choice_count());
  thumbnail_ = head.linear("thumbnail", text_.config().width, kThumbnail * kThumbnail * 3);
}

std::map<std::string, at::Tensor> Reader::parameters() const {
  auto all = parameters_.tensors();
  all.insert(head_.tensors().begin(), head_.tensors().end());
  return all;
}

at::Tensor Reader::loss(int batch, std::mt19937_64& generator) const {
  Dice dice(generator);
  std::vector<Scene> scenes;
  std::vector<std::string> captions;
  for (int i = 0; i < batch; ++i) {
    scenes.push_back(random_scene(generator));
    captions.push_back(describe(scenes.back(), generator));
  }
  const std::size_t padding = dice.chance(0.25) ? kTextLength : 1 + dice.below(8);
  const at::Tensor ids = token_rows(tokenizer_, captions, padding);
  const Answers answers = answers_of(scenes);

  const at::Tensor states = text_.forward(ids).last.to(operations_->activations());  // [B, L, C]
  const at::Tensor ends = ids.eq(tokenizer_.end_of_text()).to(at::kFloat);           // [B, L]
  const at::Tensor share = ends / ends.sum(1, true);
  const at::Tensor wrong_choices =
      at::binary_cross_entropy_with_logits(choices_(states).to(at::kFloat),
                                           answers.choices.unsqueeze(1).expand({-1, ids.size(1), -1}), {}, {},
                                           at::Reduction::None)
          .sum(-1) /
      10;
  const at::Tensor wrong_colors =
      (thumbnail_(states).to(at::kFloat) - answers.thumbnail.unsqueeze(1)).square().mean(-1);
  return ((wrong_choices + kThumbnailWeight * wrong_colors) * share).sum(1).mean();
}

}  // namespace waggle::training
