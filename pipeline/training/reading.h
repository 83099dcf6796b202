// What a caption says, as numbers: what the text encoder learns to tell before it learns together with the
// UNet.
//
// A UNet that has not learned to listen gives a text encoder nothing to learn from, and the other way round.
// The thousands of steps that the two take to find each other are spared when the encoder can read already.
#pragma once

#include <cstdint>
#include <random>

#include <ATen/core/Tensor.h>

#include "pipeline/models/clip_text.h"
#include "pipeline/text/tokenizer.h"
#include "pipeline/training/parameters.h"
#include "pipeline/training/scene.h"

namespace waggle::training {

/// The answers to one caption's questions: choices as one-hot groups, and a thumbnail of the picture.
struct Answers {
  at::Tensor choices;    ///< [B, choice_count()] 0 or 1
  at::Tensor thumbnail;  ///< [B, 3 * 8 * 8], -1 .. 1
};

std::int64_t choice_count();

/// Figures count from the left or the top, whichever way they lie. A figure's colour and its shape are
/// questions of their own, so that nothing is learned of which go together.
Answers answers_of(const std::vector<Scene>& scenes);

class Reader {
 public:
  Reader(std::uint64_t seed, at::ScalarType precision, const pipeline::Tokenizer& tokenizer);

  /// The text encoder's, and under "head." those that only this stage has.
  [[nodiscard]] std::map<std::string, at::Tensor> parameters() const;
  /// The encoder's alone.
  [[nodiscard]] const std::map<std::string, at::Tensor>& text_parameters() const {
    return parameters_.tensors();
  }
  /// How wrong the answers are that linear layers read off the end of the text and each padding behind it.
  /// **Randomness**: scenes, captions, and how much padding there is.
  [[nodiscard]] at::Tensor loss(int batch, std::mt19937_64& generator) const;

 private:
  Parameters parameters_, head_;
  std::shared_ptr<const pipeline::ops::Operations> operations_;
  pipeline::Tokenizer tokenizer_;
  pipeline::ClipText text_;
  pipeline::Linear choices_, thumbnail_;
};

/// Of the text encoder for this tokenizer.
pipeline::ClipTextConfig clip_config(const pipeline::Tokenizer& tokenizer);

/// Captions as the text encoder takes them: as long as the longest and `padding` more, kTextLength at most.
/// **Shape**: [B, L] int64.
at::Tensor token_rows(const pipeline::Tokenizer& tokenizer, const std::vector<std::string>& captions,
                      std::size_t padding);

}  // namespace waggle::training
