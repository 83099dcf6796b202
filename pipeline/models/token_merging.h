// Merging tokens that resemble each other before self attention and giving each its answer afterwards (Bolya
// and Hoffman 2023, "Token Merging for Fast Stable Diffusion").
//
// Draws nothing: the tokens that others are merged into are every second one of every second row, so that the
// same latents give the same picture in any batch.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace waggle::pipeline {

class TokenMerging {
 public:
  /// For maps of height x width tokens, of which `share` (0..0.75, rounded down to whole tokens) is merged;
  /// no more than there are beside those that stay.
  TokenMerging(std::int64_t height, std::int64_t width, double share);

  /// False: nothing would be merged.
  [[nodiscard]] bool any() const { return merged_ > 0; }
  [[nodiscard]] std::int64_t merged() const { return merged_; }

  /// Which token of a row goes where. Rows do not see each other.
  struct Matching {
    struct Row {
      at::Tensor kept;    ///< [K] tokens that stay alone
      at::Tensor merged;  ///< [R] tokens that go into others
      at::Tensor into;    ///< [R] the place among the destinations that each goes into
      at::Tensor place;   ///< [h*w] where each token is found among those that are left
    };
    std::vector<Row> rows;
  };
  /// By the cosine between tokens, in fp32. Only where any() are to merge. **Shape**: tokens [B, h*w, C].
  [[nodiscard]] Matching match(const at::Tensor& tokens) const;
  /// A destination becomes the mean of itself and what goes into it. **Shape**: [B, h*w, C] -> [B, h*w -
  /// merged(), C].
  [[nodiscard]] at::Tensor merge(const at::Tensor& tokens, const Matching& matching) const;
  /// **Shape**: [B, h*w - merged(), C] -> [B, h*w, C].
  [[nodiscard]] static at::Tensor unmerge(const at::Tensor& tokens, const Matching& matching);

 private:
  [[nodiscard]] Matching::Row match_row(const at::Tensor& tokens) const;

  std::int64_t tokens_, merged_;
  at::Tensor destinations_, sources_;  // token numbers, together all
};

}  // namespace waggle::pipeline
