// tokens_clip.json: prompts and their ids for the whole CLIP vocabulary, which is too large for the tree.
//
// The vocabulary is the folder that WAGGLE_CLIP_VOCAB names, else `clip-vocab` beside the goldens. Without
// one the prompts are skipped. `ids` (OpenAI's tokenizer) is what must be met; the other variants in the file
// are not looked at.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "pipeline/text/tokenizer.h"
#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

std::optional<std::filesystem::path> vocabulary_for(const std::filesystem::path& dir) {
  if (const char* named = std::getenv("WAGGLE_CLIP_VOCAB"); named != nullptr && *named != '\0') return named;
  const std::filesystem::path beside =
      std::filesystem::absolute(dir).lexically_normal() / ".." / "clip-vocab";
  if (std::filesystem::exists(beside / "vocab.json")) return beside;
  return std::nullopt;
}

// The first place where two lists differ, for a person to look at.
std::string difference(const std::vector<std::int32_t>& actual, const std::vector<std::int32_t>& expected) {
  std::size_t at = 0;
  while (at < actual.size() && at < expected.size() && actual[at] == expected[at]) ++at;
  if (at == actual.size() && at == expected.size()) return std::to_string(at) + " ids";
  const auto shown = [at](const std::vector<std::int32_t>& ids) {
    return at < ids.size() ? std::to_string(ids[at]) : std::string("the end");
  };
  return "id " + std::to_string(at) + " is " + shown(actual) + ", should be " + shown(expected);
}

}  // namespace

void run_token_cases(const std::filesystem::path& dir, Report& report) {
  const auto vocabulary = vocabulary_for(dir);
  if (!vocabulary) return report.skip("tokens/*", "no CLIP vocabulary: set WAGGLE_CLIP_VOCAB to its folder");
  const auto tokenizer = pipeline::Tokenizer::load(*vocabulary);
  if (!tokenizer) return report.fail("tokens/vocabulary", tokenizer.error().message);

  std::ifstream file(dir / "tokens_clip.json");
  const auto golden = nlohmann::json::parse(file);
  std::size_t index = 0;
  for (const auto& entry : golden.at("prompts")) {
    const std::string name = "tokens/prompt" + std::to_string(index++);
    const std::string prompt = entry.at("text");
    const auto expected = entry.at("ids").get<std::vector<std::int32_t>>();
    const auto padded = entry.at("padded_77").get<std::vector<std::int32_t>>();
    if (report.wants(name + ".ids")) {
      const auto ids = tokenizer.value().encode(prompt);
      report.check(name + ".ids", ids == expected, difference(ids, expected));
    }
    if (report.wants(name + ".padded_77")) {
      const auto ids = tokenizer.value().encode_padded(prompt);
      report.check(name + ".padded_77", ids == padded, difference(ids, padded));
    }
  }
}

}  // namespace waggle::golden
