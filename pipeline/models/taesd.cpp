// TAESD's decoder. The places of its layers are those of the list that its author's file is.
#include "pipeline/models/taesd.h"

#include <ATen/Functions.h>

namespace waggle::pipeline {
namespace {

constexpr int kEnlargements = 3, kBlocks = 3, kLastBlocks = 1;

/// How the places of the list are written.
struct Naming {
  std::string prefix;
  int conv_in;  ///< its place: 1 where the list begins with the clamp, which has no weights
};

Naming naming_of(const WeightSource& weights, const std::string& file) {
  for (const Naming& naming : {Naming{"", 1}, Naming{"decoder.", 1}, Naming{"decoder.layers.", 0}})
    if (weights.contains(naming.prefix + std::to_string(naming.conv_in) + ".weight") &&
        weights.contains(naming.prefix + std::to_string(naming.conv_in + 2) + ".conv.0.weight"))
      return naming;
  throw LoadError(file + ": holds no TAESD decoder (neither 1.weight nor decoder.layers.0.weight)");
}

/// Out and in channels of a convolution that is known to be there.
std::pair<std::int64_t, std::int64_t> channels(const SafetensorsFile& file, const std::string& name) {
  const auto& shape = file.entries().find(name)->second.shape;
  if (shape.size() != 4 || shape[0] < 1 || shape[1] < 1)
    throw LoadError(file.path().filename().string() + ": tensor '" + name + "' is no convolution");
  return {shape[0], shape[1]};
}

}  // namespace

TaesdDecoder::TaesdDecoder(const std::filesystem::path& path,
                           std::shared_ptr<const ops::Operations> operations)
    : operations_(std::move(operations)) {
  FileWeights weights({path});
  const Naming naming = naming_of(weights, path.filename().string());
  const auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  int place = naming.conv_in;
  const auto name = [&] { return naming.prefix + std::to_string(place); };
  const auto [width, latents] = channels(*file, name() + ".weight");
  latent_channels_ = latents;

  const Builder build(weights, *operations_);
  conv_in_.push_back(build.convolution(name(), latents, width));
  place += 2;  // its ReLU
  for (int i = 0; i <= kEnlargements; ++i) {
    const bool last = i == kEnlargements;
    std::vector<Block> blocks;
    for (int j = 0; j < (last ? kLastBlocks : kBlocks); ++j, ++place) {
      const Builder block = build / name() / "conv";
      blocks.push_back({block.convolution("0", width, width), block.convolution("2", width, width),
                        block.convolution("4", width, width)});
    }
    if (!last) ++place;  // the enlargement
    stages_.push_back({std::move(blocks), last ? build.convolution(name(), width, 3)
                                               : build.convolution_without_bias(name(), width, width)});
    ++place;
  }
}

at::Tensor TaesdDecoder::run(const Block& block, const at::Tensor& x) const {
  return at::relu(block.third(at::relu(block.second(at::relu(block.first(x)))), x));
}

at::Tensor TaesdDecoder::forward(const at::Tensor& latents) const {
  const at::Tensor bounded = at::tanh(latents / 3.0) * 3.0;
  at::Tensor x = at::relu(conv_in_.front()(bounded.to(operations_->activations())));
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    for (const Block& block : stages_[i].blocks) x = run(block, x);
    if (i + 1 < stages_.size()) x = operations_->upsample_nearest(x, 2 * x.size(2), 2 * x.size(3));
    x = stages_[i].after(x);
  }
  return at::clamp(x.to(at::kCPU, at::kFloat), 0.0, 1.0);
}

std::optional<std::filesystem::path> find_taesd(const std::filesystem::path& dir, const std::string& name) {
  std::error_code error;
  for (const auto& file : {dir / (name + "_decoder.safetensors"), dir / (name + ".safetensors"),
                           dir / name / "diffusion_pytorch_model.safetensors"})
    if (std::filesystem::is_regular_file(file, error)) return file;
  return std::nullopt;
}

}  // namespace waggle::pipeline
