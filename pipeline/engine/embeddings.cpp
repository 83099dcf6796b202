// Looking embeddings up and reading them.
#include "pipeline/engine/embeddings.h"

#include <algorithm>
#include <iterator>

#include "pipeline/adapters/lora_names.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

constexpr const char* kPickles[] = {".pt", ".bin"};

}  // namespace

Embeddings::Embeddings(std::filesystem::path dir, std::shared_ptr<ContentHashes> hashes)
    : folder_(std::move(dir)), hashes_(std::move(hashes)) {}

std::vector<std::string> Embeddings::names() const {
  if (folder_.path().empty()) return {};
  std::error_code error;
  const auto modified = std::filesystem::last_write_time(folder_.path(), error);
  if (error) return {};
  const std::lock_guard lock(mutex_);
  if (modified == listed_) return names_;
  names_ = folder_.files();
  // Pickles are listed too, so that their users learn why they do nothing.
  for (const char* ending : kPickles) std::ranges::move(folder_.files(ending), std::back_inserter(names_));
  std::ranges::sort(names_);
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  listed_ = modified;
  return names_;
}

bool Embeddings::named_by(const JobRequest& request) const {
  const auto all = names();
  for (const std::string* prompt : {&request.prompt, &request.negative_prompt}) {
    const NamedEmbeddings named = named_embeddings(*prompt, PromptSyntax::weighted, all);
    if (!named.known.empty() || !named.unknown.empty()) return true;
  }
  return false;
}

Result<std::vector<PromptEmbedding>> Embeddings::get(const JobRequest& request,
                                                     std::span<const std::int64_t> widths) {
  std::vector<PromptEmbedding> found;
  const auto all = names();
  const std::pair<const char*, const std::string*> prompts[] = {
      {"/prompt", &request.prompt}, {"/negative_prompt", &request.negative_prompt}};
  for (const auto& [path, prompt] : prompts) {
    const NamedEmbeddings named = named_embeddings(*prompt, PromptSyntax::weighted, all);
    if (!named.unknown.empty())
      return Error{ErrorCode::unknown_adapter,
                   "there is no such embedding",
                   {{path, "names the embedding '" + printable(named.unknown.front()) +
                               "', which is not in the embeddings folder"}}};
    for (const std::size_t i : named.known) {
      if (std::ranges::find(found, all[i], &PromptEmbedding::name) != found.end()) continue;
      auto embedding = read(all[i], widths);
      if (!embedding) return invalid_request({{path, embedding.error().message}});
      found.push_back(std::move(*embedding));
    }
  }
  return found;
}

Result<PromptEmbedding> Embeddings::read(const std::string& name, std::span<const std::int64_t> widths) {
  const auto refuse = [](std::string why) { return Error{ErrorCode::invalid_request, std::move(why)}; };
  try {
    const auto path = folder_.file(name);
    if (!path)
      return refuse("the embedding '" + printable(name) +
                    "' is a pickle, which could run code when it is read: convert it to .safetensors");
    const std::string content = hashes_->of(*path);
    std::shared_ptr<const EmbeddingFile> file;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = std::ranges::find(kept_, content, &Read::content); known != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, known);
        file = known->file;
      }
    }
    if (!file) {
      file = std::make_shared<const EmbeddingFile>(*path);
      const std::lock_guard lock(mutex_);
      kept_.push_front({content, file});
      if (kept_.size() > kMostKept) kept_.pop_back();
    }
    return PromptEmbedding{name, content, file->vectors(widths)};
  } catch (const LoadError& error) {
    return refuse(error.what());
  }
}

}  // namespace waggle::pipeline
