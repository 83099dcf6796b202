// Between bytes and tensors.
#include "pipeline/training/pictures.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "pipeline/training/dice.h"
#include "pipeline/training/paint.h"
#include "pipeline/training/recipe.h"

namespace waggle::training {

std::mt19937_64 generator_for(std::uint64_t seed, std::uint64_t purpose, std::uint64_t index) {
  // SplitMix64's finisher, so that neighbouring numbers give generators that have nothing in common.
  std::uint64_t z = seed * 0x9e3779b97f4a7c15ULL + purpose * 0xbf58476d1ce4e5b9ULL + index;
  for (int round = 0; round < 2; ++round) {
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
  }
  return std::mt19937_64(z);
}

at::Tensor pictures_of(const std::vector<Scene>& scenes) {
  const auto count = static_cast<std::int64_t>(scenes.size());
  at::Tensor bytes = at::empty({count, kSide, kSide, 3}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto painted = paint(scenes[static_cast<std::size_t>(i)], kSide);
    std::copy(painted.begin(), painted.end(), bytes.data_ptr<std::uint8_t>() + i * kSide * kSide * 3);
  }
  return bytes.permute({0, 3, 1, 2}).to(at::kFloat).div_(127.5).sub_(1.0);  // [B, 3, H, W]
}

at::Tensor random_crops(const at::Tensor& pictures, int side, std::mt19937_64& generator) {
  Dice dice(generator);
  std::vector<at::Tensor> crops;
  for (std::int64_t i = 0; i < pictures.size(0); ++i) {
    const auto top =
        static_cast<std::int64_t>(dice.below(static_cast<std::size_t>(pictures.size(2) - side + 1)));
    const auto left =
        static_cast<std::int64_t>(dice.below(static_cast<std::size_t>(pictures.size(3) - side + 1)));
    crops.push_back(pictures[i].narrow(1, top, side).narrow(2, left, side));
  }
  return at::stack(crops);
}

at::Tensor emphasis_on_figures(const std::vector<const Scene*>& scenes, std::int64_t side, double weight) {
  at::Tensor all = at::ones({static_cast<std::int64_t>(scenes.size()), 1, side, side}, at::kFloat);
  const auto cell = [&](double at) {
    return std::clamp(static_cast<std::int64_t>(at * static_cast<double>(side)), std::int64_t{0}, side - 1);
  };
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    for (const Figure& figure : scenes[i]->figures) {
      const double reach = figure.radius + 0.5 / static_cast<double>(side);
      const std::int64_t left = cell(figure.x - reach), right = cell(figure.x + reach);
      const std::int64_t top = cell(figure.y - reach), bottom = cell(figure.y + reach);
      all[static_cast<std::int64_t>(i)]
          .narrow(1, top, bottom - top + 1)
          .narrow(2, left, right - left + 1)
          .fill_(weight);
    }
  }
  return all;
}

pipeline::Picture contact_sheet(const at::Tensor& images, int columns) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::int64_t rows = (count + columns - 1) / columns;
  at::Tensor sheet = at::zeros({rows * height, columns * width, 3}, at::kByte);
  const at::Tensor bytes =
      images.add(1.0).mul_(127.5).round_().clamp_(0, 255).to(at::kByte).permute({0, 2, 3, 1});
  for (std::int64_t i = 0; i < count; ++i)
    sheet.narrow(0, i / columns * height, height).narrow(1, i % columns * width, width).copy_(bytes[i]);
  pipeline::Picture picture{static_cast<int>(columns * width), static_cast<int>(rows * height), 3, {}};
  const auto* first = sheet.data_ptr<std::uint8_t>();
  picture.samples.assign(first, first + sheet.numel());
  return picture;
}

}  // namespace waggle::training
