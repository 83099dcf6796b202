// Walks through the networks, counting elements that are alive.
#include "pipeline/engine/memory_estimate.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

namespace waggle::pipeline {
namespace {

/// Elements that are alive, and the most that ever were.
class Alive {
 public:
  explicit Alive(const ActivationKind& kind) : kind_(kind) {}

  void hold(double elements) { at(0), held_ += elements, at(0); }
  void drop(double elements) { held_ -= elements; }
  /// For a moment, so many more.
  void at(double elements) { most_ = std::max(most_, held_ + elements); }

  /// A residual block; its input is held by the caller.
  void resnet(double in, double out, double area) {
    const double norm = norm_copies();
    at(area * in * norm);
    at(area * (in + out + workspace(in, out)));
    at(area * (out + out * norm));
    at(area * (3 * out + std::max(workspace(in, out), workspace(out, out))));
  }
  /// A norm and a convolution after it; the input is held by the caller.
  void norm_and_convolution(double in, double out, double area) {
    at(area * in * norm_copies());
    at(area * (in + out + workspace(in, out)));
  }
  void convolution(double in, double out, double area) { at(area * (out + workspace(in, out))); }
  /// Self attention of `tokens` per row, its input held by the caller: norm, queries, keys, values, heads.
  void attention(double rows, double heads, double tokens, double channels) {
    double scores = 0;
    if (!kind_.fused)
      // Scores and their softmax; half precisions have both in fp32 too.
      scores = std::min(rows * heads * tokens * tokens,
                        std::max(static_cast<double>(kMaxScores), rows * heads * tokens)) *
               (kind_.element_bytes == 4 ? 2 : 5);
    at(rows * tokens * channels * (kind_.fused ? 8 : 11) + scores);
  }
  /// Projections, self attention, cross attention, feed-forward; the input is held by the caller.
  void transformer(double rows, double heads, double tokens, double channels) {
    const double map = rows * tokens * channels;
    at(map * norm_copies());
    hold(2 * map);  // the tokens, and the block's input
    attention(rows, heads, tokens, channels);
    at(map * (kind_.fused ? 18 : 21));  // the feed-forward, four times as wide and gated
    drop(2 * map);
  }

  [[nodiscard]] std::int64_t bytes() const {
    return std::llround(most_ * static_cast<double>(kind_.element_bytes));
  }

 private:
  static constexpr std::int64_t kMaxScores = ops::kMaxAttentionScores;
  /// Plain libtorch normalises half precisions in fp32: the input, the output, and the output as it was.
  [[nodiscard]] double norm_copies() const {
    return kind_.fused && !kind_.plain_norms ? 1 : kind_.element_bytes == 4 ? 2 : 5;
  }
  /// What a convolution's library takes beside input and output: both once more in its own layout.
  [[nodiscard]] double workspace(double in, double out) const { return kind_.fused ? 0.0 : in + out; }

  ActivationKind kind_;
  double held_ = 0, most_ = 0;
};

double wide(std::int64_t value) { return static_cast<double>(value); }

double width_at(const VaeConfig& config, int stage) {  // of the decoder's stages, coarsest first
  return wide(config.widths[config.widths.size() - 1 - static_cast<std::size_t>(stage)]);
}

/// Decoder stages [first, last) of which the first one's input is held; cells are those of the latents.
double walk_decoder(Alive& alive, const VaeConfig& config, double cells, int first, int last) {
  double width = width_at(config, std::max(0, first - 1));
  for (int stage = first; stage < last; ++stage) {
    const double area = cells * std::pow(4.0, stage), out = width_at(config, stage);
    if (stage > 0) {
      alive.hold(area * width);  // enlarged
      alive.convolution(width, width, area);
      alive.drop(area / 4 * width);
    }
    for (std::int64_t i = 0; i <= config.layers_per_block; ++i) {
      alive.resnet(width, out, area);
      alive.hold(area * out);
      alive.drop(area * width);
      width = out;
    }
  }
  return cells * std::pow(4.0, last - 1) * width;  // still held
}

void walk_middle(Alive& alive, double channels, double area) {
  alive.hold(area * channels);
  alive.resnet(channels, channels, area);
  alive.hold(area * channels);
  alive.attention(1, 1, area, channels);
  alive.drop(area * channels);
  alive.resnet(channels, channels, area);
  alive.drop(area * channels);
}

/// Encoder levels [first, last) whose input is held.
void walk_encoder(Alive& alive, const VaeConfig& config, double pixels, int first, int last) {
  const auto levels = static_cast<int>(config.widths.size());
  double width = wide(config.widths[static_cast<std::size_t>(std::max(0, first - 1))]);
  for (int level = first; level < last; ++level) {
    const double area = pixels / std::pow(4.0, level),
                 out = wide(config.widths[static_cast<std::size_t>(level)]);
    for (std::int64_t i = 0; i < config.layers_per_block; ++i) {
      alive.resnet(width, out, area);
      alive.hold(area * out);
      alive.drop(area * width);
      width = out;
    }
    if (level + 1 == levels) continue;
    alive.hold(area * width);  // padded
    alive.convolution(width, width, area / 2);
    alive.drop(2 * area * width);
    alive.hold(area / 4 * width);
  }
}

/// fp32 pictures on their way to bytes, or from them.
std::int64_t picture_bytes(const VaeConfig& config, double cells) {
  const double pixels = cells * wide(config.factor() * config.factor());
  return std::llround(pixels * 3 * (4 * 4 + 1));
}

std::int64_t largest_core(double tile, double halo) {
  return std::llround((tile + 2 * halo) * (tile + 2 * halo));
}

}  // namespace

ActivationKind ActivationKind::of(const ops::Operations& operations) {
  const bool fused = !operations.name().starts_with("reference");  // alone or under int8
  return {static_cast<std::int64_t>(operations.activations().dtype().itemsize()), fused};
}

std::int64_t unet_call_bytes(const UNetConfig& config, std::int64_t rows, std::int64_t height,
                             std::int64_t width, const ActivationKind& kind) {
  Alive alive(kind);
  const std::size_t levels = config.widths.size();
  const double n = wide(rows);
  std::vector<double> skips;
  double h = wide(height), w = wide(width);
  const auto area = [&] { return n * h * w; };
  const auto push = [&](double channels) {
    skips.push_back(channels * area());
    alive.hold(skips.back());
  };
  const auto attend = [&](std::size_t level) {
    if (config.transformer_layers[level] > 0)
      alive.transformer(n, wide(config.heads[level]), h * w, wide(config.widths[level]));
  };
  std::vector<std::pair<double, double>> sizes;
  double in = wide(config.widths.front());
  push(in);
  for (std::size_t level = 0; level < levels; ++level) {
    const double out = wide(config.widths[level]);
    sizes.emplace_back(h, w);
    for (std::int64_t i = 0; i < config.layers_per_block; ++i, in = out) {
      alive.resnet(in, out, area());
      if (config.down_attention[level]) attend(level);
      push(out);
    }
    if (level + 1 == levels) break;
    h = std::ceil(h / 2), w = std::ceil(w / 2);
    push(out);
  }
  alive.resnet(in, in, area());
  attend(levels - 1);
  alive.hold(in * area());  // what comes up
  for (std::size_t i = 0; i < levels; ++i) {
    const std::size_t level = levels - 1 - i;
    const double out = wide(config.widths[level]);
    for (std::int64_t j = 0; j <= config.layers_per_block; ++j) {
      const double skip = skips.back() / area();
      alive.hold((in + skip) * area());  // joined
      alive.resnet(in + skip, out, area());
      alive.hold(out * area());
      alive.drop((in + skip) * area() + in * area() + skips.back());
      skips.pop_back();
      if (!config.up_attention.empty() && config.up_attention[i]) attend(level);
      in = out;
    }
    if (level == 0) break;
    const double before = in * area();
    std::tie(h, w) = sizes[level - 1];
    alive.hold(in * area());  // enlarged
    alive.convolution(in, in, area());
    alive.drop(before);
  }
  alive.norm_and_convolution(in, wide(config.out_channels), area());
  return alive.bytes();
}

std::int64_t decode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width,
                          const ActivationKind& kind, const std::optional<VaeTiling>& tiling) {
  const auto stages = static_cast<int>(config.widths.size());
  const int split = tiling ? std::min(tiling->split, stages) : stages;
  const double cells = wide(height * width);
  Alive whole(kind);
  walk_middle(whole, width_at(config, 0), cells);
  whole.hold(cells * width_at(config, 0));
  const double features = walk_decoder(whole, config, cells, 0, split);
  if (split == stages) {
    whole.norm_and_convolution(wide(config.widths.front()), 3, cells * std::pow(4.0, stages - 1));
    return whole.bytes() + picture_bytes(config, cells);
  }
  Alive tile({kind.element_bytes, kind.fused, /*plain_norms=*/true});
  const double core = wide(largest_core(wide(tiling->tile), wide(decode_halo(config, split))));
  const double tile_cells = std::min(core / std::pow(4.0, split - 1), cells);
  tile.hold(features);
  tile.hold(tile_cells * std::pow(4.0, split - 1) * width_at(config, split - 1));  // the sample's copy
  walk_decoder(tile, config, tile_cells, split, stages);
  tile.norm_and_convolution(wide(config.widths.front()), 3, tile_cells * std::pow(4.0, stages - 1));
  return std::max(whole.bytes(), tile.bytes()) + picture_bytes(config, cells);
}

std::int64_t encode_bytes(const VaeConfig& config, std::int64_t height, std::int64_t width,
                          const ActivationKind& kind, const std::optional<VaeTiling>& tiling) {
  const auto levels = static_cast<int>(config.widths.size());
  const double cells = wide(height * width), pixels = cells * wide(config.factor() * config.factor());
  const int split = tiling ? tiling->split : 0;
  Alive whole(kind);
  const double features =
      pixels / std::pow(4.0, split) * wide(config.widths[static_cast<std::size_t>(std::max(0, split - 1))]);
  if (split == 0) whole.convolution(3, wide(config.widths.front()), pixels);
  whole.hold(features);
  walk_encoder(whole, config, pixels, split, levels);
  whole.drop(cells * wide(config.widths.back()));
  walk_middle(whole, wide(config.widths.back()), cells);
  std::int64_t most = whole.bytes();
  if (split > 0) {
    Alive tile({kind.element_bytes, kind.fused, /*plain_norms=*/true});
    const double core = wide(largest_core(wide(tiling->tile), wide(encode_halo(config, split))));
    const double tile_pixels = std::min(core * std::pow(4.0, split), pixels);
    tile.hold(features);
    tile.convolution(3, wide(config.widths.front()), tile_pixels);
    tile.hold(tile_pixels * wide(config.widths.front()));
    walk_encoder(tile, config, tile_pixels, 0, split);
    most = std::max(most, tile.bytes());
  }
  return most + picture_bytes(config, cells);
}

}  // namespace waggle::pipeline
