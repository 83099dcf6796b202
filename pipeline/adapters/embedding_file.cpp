// Reading embeddings.
#include "pipeline/adapters/embedding_file.h"

#include <ATen/Functions.h>

#include "pipeline/adapters/lora_names.h"

namespace waggle::pipeline {
namespace {

constexpr std::int64_t kMostVectors = 75;  // a chunk of a prompt without begin and end

/// [n, width] fp32 of its own memory.
at::Tensor read_vectors(const SafetensorsFile& file, const std::string& name) {
  const auto fail = [&](const std::string& what) -> LoadError {
    return LoadError(file.path().filename().string() + ": tensor '" + printable(name) + "' " + what);
  };
  at::Tensor stored = file.tensor(name);
  if (!stored.is_floating_point()) throw fail("holds no floating-point numbers");
  if (stored.dim() == 1) stored = stored.unsqueeze(0);
  if (stored.dim() != 2 || stored.size(1) == 0)
    throw fail("has shape " + shape_text(stored.sizes()) + ", an embedding is [vectors, width]");
  if (stored.size(0) < 1 || stored.size(0) > kMostVectors)
    throw fail("has " + std::to_string(stored.size(0)) + " vectors, a prompt has room for 1 to " +
               std::to_string(kMostVectors));
  const at::Tensor vectors = stored.to(at::kFloat).clone();  // the mapping is let go
  if (!at::isfinite(vectors).all().item<bool>()) throw fail("holds numbers that are not finite");
  return vectors;
}

}  // namespace

EmbeddingFile::EmbeddingFile(const std::filesystem::path& path) : name_(path.filename().string()) {
  const auto file = SafetensorsFile::open(path);
  if (!file) throw LoadError(file.error().message);
  constexpr const char* kPairs[][2] = {{"clip_l", "clip_g"}, {"text_encoders_0", "text_encoders_1"}};
  for (const auto& [first, second] : kPairs)
    if (file->contains(first) && file->contains(second)) {
      sets_ = {read_vectors(*file, first), read_vectors(*file, second)};
      if (sets_[0].size(0) != sets_[1].size(0))
        throw LoadError(name_ + ": has " + std::to_string(sets_[0].size(0)) +
                        " vectors for one encoder and " + std::to_string(sets_[1].size(0)) +
                        " for the other");
      return;
    }
  if (file->contains("emb_params"))
    sets_ = {read_vectors(*file, "emb_params")};
  else if (file->entries().size() == 1)
    sets_ = {read_vectors(*file, file->entries().begin()->first)};
  else
    throw LoadError(name_ +
                    ": holds no embedding (neither emb_params, nor clip_l and clip_g, nor a single tensor)");
}

std::vector<at::Tensor> EmbeddingFile::vectors(std::span<const std::int64_t> widths) const {
  if (widths.size() == sets_.size()) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (sets_[i].size(1) != widths[i]) throw mismatch(widths);
    return sets_;
  }
  // SDXL's refiner has the second encoder alone.
  if (sets_.size() == 2 && widths.size() == 1 && sets_[1].size(1) == widths[0]) return {sets_[1]};
  throw mismatch(widths);
}

LoadError EmbeddingFile::mismatch(std::span<const std::int64_t> widths) const {
  std::string own, needed;
  for (const auto& set : sets_) own += (own.empty() ? "" : " and ") + std::to_string(set.size(1));
  for (const std::int64_t width : widths) needed += (needed.empty() ? "" : " and ") + std::to_string(width);
  return LoadError(name_ + ": is for another kind of model: its vectors have width " + own +
                   ", the model's text encoders " + needed);
}

}  // namespace waggle::pipeline
