// The textual-inversion embeddings of a worker: found in its folder by the words of a prompt, read when they
// are first named.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "pipeline/adapters/adapter_folder.h"
#include "pipeline/adapters/embedding_file.h"
#include "pipeline/models/stable_diffusion.h"
#include "pipeline/weights/content_hashes.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

/// Thread-safe.
class Embeddings {
 public:
  Embeddings(std::filesystem::path dir, std::shared_ptr<ContentHashes> hashes);

  /// Whether a prompt of the request names an embedding, or asks for one that is not there.
  [[nodiscard]] bool named_by(const JobRequest& request) const;
  /// Those that the prompts name, for text encoders of these widths.
  /// **Errors**: unknown_adapter (`embedding:name` that is not there) and invalid_request (for another kind
  /// of model, broken, a pickle), with the path /prompt or /negative_prompt.
  Result<std::vector<PromptEmbedding>> get(const JobRequest& request, std::span<const std::int64_t> widths);

 private:
  struct Read {
    std::string content;
    std::shared_ptr<const EmbeddingFile> file;
  };
  static constexpr std::size_t kMostKept = 64;  // half a megabyte each at most
  [[nodiscard]] std::vector<std::string> names() const;
  Result<PromptEmbedding> read(const std::string& name, std::span<const std::int64_t> widths);

  AdapterFolder folder_;
  std::shared_ptr<ContentHashes> hashes_;
  mutable std::mutex mutex_;
  // Of the folder as it was when it was last looked at.
  mutable std::filesystem::file_time_type listed_{};
  mutable std::vector<std::string> names_;
  std::list<Read> kept_;  // most recent first
};

}  // namespace waggle::pipeline
