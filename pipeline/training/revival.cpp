// Reads the parts of a folder and writes them as checkpoints.
#include "pipeline/training/revival.h"

#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "pipeline/training/autoencoder.h"
#include "pipeline/training/denoiser.h"
#include "pipeline/training/learning_loop.h"
#include "pipeline/training/reading.h"
#include "pipeline/training/stages.h"

namespace waggle::training {
namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw pipeline::LoadError("cannot read " + file.filename().string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void require_same_words(const fs::path& one, const fs::path& other) {
  for (const char* file : {"vocab.json", "merges.txt"})
    if (text_of(one / file) != text_of(other / file))
      throw pipeline::LoadError(std::string("the model's ") + file + " is not that of this run's words");
}

/// Fills the tensors whose names begin with `prefix` from the file's, which are called what comes after it.
void fill(const Tensors& tensors, const std::string& prefix, const fs::path& file) {
  const c10::NoGradGuard no_grad;
  pipeline::FileWeights source({file});
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix))
      tensor.detach().copy_(source.take(name.substr(prefix.size()), tensor.sizes()));
}

void finish(const fs::path& run, const char* stage, const Tensors& tensors) {
  if (fs::exists(checkpoint_file(run, stage))) return;
  write_checkpoint(checkpoint_file(run, stage), Optimizer(tensors, {}), {0, 0, true});
}

}  // namespace

void revive(const fs::path& model, const fs::path& run, std::uint64_t seed) {
  require_same_words(model / "tokenizer", run / "tokenizer");
  const auto tokenizer = pipeline::Tokenizer::load(run / "tokenizer");
  if (!tokenizer) throw pipeline::LoadError(tokenizer.error().message);
  const fs::path text = model / "text_encoder/model.safetensors";

  const Autoencoder autoencoder(seed, at::kBFloat16);
  fill(autoencoder.parameters(), "", model / "vae/diffusion_pytorch_model.safetensors");
  const Reader reader(seed, at::kBFloat16, *tokenizer);
  fill(reader.text_parameters(), "", text);
  const Denoiser denoiser(seed, at::kBFloat16, *tokenizer);
  fill(denoiser.parameters(), "text/", text);
  fill(denoiser.parameters(), "unet/", model / "unet/diffusion_pytorch_model.safetensors");

  // Written only when all has been read: a folder that is none leaves the run as it was.
  finish(run, kVae, autoencoder.parameters());
  finish(run, kDecoder, decoder_of(autoencoder));
  finish(run, kReader, reader.parameters());
  finish(run, kDenoiser, denoiser.parameters());
}

}  // namespace waggle::training
