// The autoencoder's loss and its measures.
#include "pipeline/training/autoencoder.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "pipeline/models/config.h"
#include "pipeline/training/mixed_operations.h"
#include "pipeline/training/pictures.h"
#include "pipeline/training/recipe.h"

namespace waggle::training {
namespace {

constexpr double kEdgeWeight = 1.0, kCoarseWeight = 0.5, kNormalWeight = 1e-4;
/// Of the first three channels' distance from the picture in small.
constexpr double kColorWeight = 1.0;
constexpr int kPatch = kSide / kLatentSide;
/// Deviation of the noise that latents get on top of the posterior's: the decoder learns to put up with what
/// a denoiser leaves.
constexpr double kTolerance = 0.08;

pipeline::VaeConfig config() { return pipeline::VaeConfig::from({vae_config(1.0), "vae/config.json"}); }

/// Differences of neighbours in one direction.
at::Tensor slope(const at::Tensor& x, std::int64_t dim) {
  return x.narrow(dim, 1, x.size(dim) - 1) - x.narrow(dim, 0, x.size(dim) - 1);
}

at::Tensor visible_error(const at::Tensor& error) {
  at::Tensor sum = error.abs().mean() + error.square().mean();
  // The slope of the error is the error of the slope.
  sum = sum + kEdgeWeight * 0.5 * (slope(error, 2).abs().mean() + slope(error, 3).abs().mean());
  for (const std::int64_t size : {2, 4})
    sum = sum + kCoarseWeight * at::avg_pool2d(error, {size, size}).abs().mean();
  return sum;
}

at::Tensor noise_like(const at::Tensor& x, const at::Generator& noise) {
  return at::randn(x.sizes(), noise, x.options());
}

}  // namespace

Autoencoder::Autoencoder(std::uint64_t seed, at::ScalarType precision)
    : parameters_(seed),
      operations_(mixed_operations(precision)),
      encoder_(pipeline::Builder(parameters_, *operations_), config()),
      decoder_(pipeline::Builder(parameters_, *operations_), config()) {}

at::Tensor Autoencoder::loss(const at::Tensor& pictures, const at::Generator& noise) const {
  const pipeline::Posterior posterior = encoder_.forward(pictures);
  const at::Tensor deviation = (posterior.std.square() + kTolerance * kTolerance).sqrt();
  const at::Tensor latents = posterior.mean + deviation * noise_like(posterior.mean, noise);
  const at::Tensor away =
      0.5 * (posterior.mean.square() + posterior.std.square() - 1.0 - posterior.logvar).mean();
  const at::Tensor unlike =
      (posterior.mean.narrow(1, 0, 3) - at::avg_pool2d(pictures, {kPatch, kPatch})).square().mean();
  return visible_error(decoder_.forward(latents) - pictures) + kNormalWeight * away + kColorWeight * unlike;
}

at::Tensor Autoencoder::decoder_loss(const at::Tensor& pictures, const at::Tensor& emphasis,
                                     const at::Generator& noise) const {
  at::Tensor latents;
  {
    const c10::NoGradGuard no_grad;
    latents = encode(pictures);
    latents = latents + kTolerance * noise_like(latents, noise);
  }
  return visible_error(emphasis * (decoder_.forward(latents) - pictures));
}

std::map<std::string, at::Tensor> decoder_of(const Autoencoder& model) {
  std::map<std::string, at::Tensor> part;
  for (const auto& [name, tensor] : model.parameters())
    if (name.starts_with("decoder.") || name.starts_with("post_quant_conv.")) part[name] = tensor;
  return part;
}

at::Tensor reconstructions(const Autoencoder& model, const std::vector<Scene>& scenes, int columns) {
  const c10::NoGradGuard no_grad;
  const at::Tensor pictures = pictures_of(scenes), decoded = model.decode(model.encode(pictures));
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < pictures.size(0); i += columns) {
    const std::int64_t count = std::min<std::int64_t>(columns, pictures.size(0) - i);
    rows.push_back(pictures.narrow(0, i, count));
    rows.push_back(decoded.narrow(0, i, count));
  }
  return at::cat(rows, 0);
}

double scaling_factor(const Autoencoder& model, const std::vector<Scene>& scenes) {
  const c10::NoGradGuard no_grad;
  return 1.0 / model.encode(pictures_of(scenes)).std().item<double>();
}

}  // namespace waggle::training
