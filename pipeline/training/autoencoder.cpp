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

constexpr double kEdgeWeight = 1.0, kCoarseWeight = 0.5, kNormalWeight = 4e-4;

pipeline::VaeConfig config() { return pipeline::VaeConfig::from({vae_config(1.0), "vae/config.json"}); }

/// Differences of neighbours in one direction.
at::Tensor slope(const at::Tensor& x, std::int64_t dim) {
  return x.narrow(dim, 1, x.size(dim) - 1) - x.narrow(dim, 0, x.size(dim) - 1);
}

}  // namespace

Autoencoder::Autoencoder(std::uint64_t seed, at::ScalarType precision)
    : parameters_(seed),
      operations_(mixed_operations(precision)),
      encoder_(pipeline::Builder(parameters_, *operations_), config()),
      decoder_(pipeline::Builder(parameters_, *operations_), config()) {}

at::Tensor Autoencoder::loss(const at::Tensor& pictures, const at::Generator& noise) const {
  const pipeline::Posterior posterior = encoder_.forward(pictures);
  const at::Tensor latents =
      posterior.mean + posterior.std * at::randn(posterior.mean.sizes(), noise, posterior.mean.options());
  const at::Tensor error = decoder_.forward(latents) - pictures;
  at::Tensor sum = error.abs().mean() + error.square().mean();
  // The slope of the error is the error of the slope.
  sum = sum + kEdgeWeight * 0.5 * (slope(error, 2).abs().mean() + slope(error, 3).abs().mean());
  for (const std::int64_t size : {2, 4})
    sum = sum + kCoarseWeight * at::avg_pool2d(error, {size, size}).abs().mean();
  const at::Tensor away =
      0.5 * (posterior.mean.square() + posterior.std.square() - 1.0 - posterior.logvar).mean();
  return sum + kNormalWeight * away;
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
