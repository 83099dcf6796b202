// Fuzz entry of prompts: weights, embeddings, chunks. Any text is a prompt; what comes out must fit the text
// encoder.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/text/prompt.h"
#include "pipeline/text/tokenizer.h"

namespace {

using namespace waggle::pipeline;

void check(const std::vector<PromptChunk>& chunks, const Tokenizer& tokenizer,
           const std::vector<EmbeddingName>& names) {
  constexpr std::size_t kChunk = 77;
  if (chunks.empty()) std::abort();
  for (const PromptChunk& chunk : chunks) {
    if (chunk.ids.size() != kChunk || chunk.weights.size() != kChunk) std::abort();
    for (const std::int32_t id : chunk.ids)
      if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.vocabulary_size()) std::abort();
    for (const float weight : chunk.weights)
      if (!(weight >= -10.0f && weight <= 10.0f)) std::abort();
    for (const EmbeddingSpan& span : chunk.embeddings)
      if (span.embedding >= names.size() || span.position < 1 ||
          span.position + names[span.embedding].vectors >= kChunk)
        std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer tokenizer = Tokenizer::load(WAGGLE_FUZZ_TOKENIZER).value();
  static const std::vector<std::string> names = {"bad", "bad-hands-5", "<toy>", "style_2"};
  static const std::vector<EmbeddingName> embeddings = {
      {names[0], 1}, {names[1], 75}, {names[2], 3}, {names[3], 8}};
  constexpr std::size_t kLongest = 16 * 1024;  // of a prompt in a request
  const std::string_view prompt(reinterpret_cast<const char*>(data), size < kLongest ? size : kLongest);
  for (const PromptSyntax syntax : {PromptSyntax::plain, PromptSyntax::weighted}) {
    check(chunk_prompt(tokenizer, prompt, syntax, embeddings), tokenizer, embeddings);
    for (const std::size_t known : named_embeddings(prompt, syntax, names).known)
      if (known >= names.size()) std::abort();
  }
  return 0;
}
