// Bipartite matching: every source finds its most similar destination, the most similar of these pairs merge.
#include "pipeline/models/token_merging.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace waggle::pipeline {
namespace {

/// Similarities that are in memory at once.
constexpr std::int64_t kMaxSimilarities = std::int64_t{1} << 20;

/// Which destination is most like each source, and how like. **Shape**: [S, C], [D, C] -> [S], [S].
std::pair<at::Tensor, at::Tensor> most_similar(const at::Tensor& sources, const at::Tensor& destinations) {
  const std::int64_t slice = std::max<std::int64_t>(1, kMaxSimilarities / destinations.size(0));
  const at::Tensor transposed = destinations.t();
  std::vector<at::Tensor> values, indices;
  for (std::int64_t first = 0; first < sources.size(0); first += slice) {
    const at::Tensor part = sources.narrow(0, first, std::min(slice, sources.size(0) - first));
    auto [value, index] = at::max(at::mm(part, transposed), 1);
    values.push_back(value);
    indices.push_back(index);
  }
  return {at::cat(values), at::cat(indices)};
}

}  // namespace

TokenMerging::TokenMerging(std::int64_t height, std::int64_t width, double share) : tokens_(height * width) {
  const at::Tensor grid = at::zeros({height, width}, at::kBool);
  grid.slice(0, 0, height, 2).slice(1, 0, width, 2).fill_(true);
  const at::Tensor chosen = grid.flatten();
  destinations_ = chosen.nonzero().flatten();
  sources_ = chosen.logical_not().nonzero().flatten();
  merged_ = std::min(static_cast<std::int64_t>(static_cast<double>(tokens_) * share), sources_.size(0));
}

TokenMerging::Matching TokenMerging::match(const at::Tensor& tokens) const {
  Matching matching;
  for (std::int64_t row = 0; row < tokens.size(0); ++row) matching.rows.push_back(match_row(tokens[row]));
  return matching;
}

TokenMerging::Matching::Row TokenMerging::match_row(const at::Tensor& tokens) const {
  const at::Device device = tokens.device();
  const at::Tensor sources = sources_.to(device), destinations = destinations_.to(device);
  at::Tensor unit = tokens.to(at::kFloat);
  unit = unit / at::linalg_vector_norm(unit, 2, {-1}, true).clamp_min(1e-12);
  const auto [likeness, nearest] =
      most_similar(unit.index_select(0, sources), unit.index_select(0, destinations));
  // Stable, so that equal tokens (a flat latent) fall the same way everywhere.
  const at::Tensor order = std::get<1>(at::sort(likeness, /*stable=*/true, -1, /*descending=*/true));
  const at::Tensor going = order.narrow(0, 0, merged_),
                   staying = order.narrow(0, merged_, order.size(0) - merged_);
  Matching::Row row{sources.index_select(0, staying), sources.index_select(0, going),
                    nearest.index_select(0, going), at::empty({tokens_}, at::kLong).to(device)};
  const std::int64_t kept = row.kept.size(0);
  const auto numbered = at::TensorOptions(at::kLong).device(device);
  row.place.index_copy_(0, row.kept, at::arange(kept, numbered));
  row.place.index_copy_(0, destinations, at::arange(kept, kept + destinations.size(0), numbered));
  row.place.index_copy_(0, row.merged, row.into + kept);
  return row;
}

at::Tensor TokenMerging::merge(const at::Tensor& tokens, const Matching& matching) const {
  std::vector<at::Tensor> left;
  for (std::size_t i = 0; i < matching.rows.size(); ++i) {
    const Matching::Row& row = matching.rows[i];
    const at::Tensor all = tokens[static_cast<std::int64_t>(i)];  // [h*w, C]
    at::Tensor sum = all.index_select(0, destinations_.to(all.device())).to(at::kFloat);
    at::Tensor count = at::ones({sum.size(0), 1}, sum.options());
    sum.index_add_(0, row.into, all.index_select(0, row.merged).to(at::kFloat));
    count.index_add_(0, row.into, at::ones({row.into.size(0), 1}, sum.options()));
    left.push_back(at::cat({all.index_select(0, row.kept), (sum / count).to(all.scalar_type())}));
  }
  return at::stack(left);  // [B, K + D, C]
}

at::Tensor TokenMerging::unmerge(const at::Tensor& tokens, const Matching& matching) {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < matching.rows.size(); ++i)
    all.push_back(tokens[static_cast<std::int64_t>(i)].index_select(0, matching.rows[i].place));
  return at::stack(all);
}

}  // namespace waggle::pipeline
