// Embeddings named in text.
#include "pipeline/text/embedding_names.h"

#include <catch2/catch.hpp>

#include "pipeline/text/prompt.h"

using namespace waggle::pipeline;

namespace {

const std::vector<std::string> kNames = {"EasyNegative", "bad-hands-5", "bad",  "<toy>",
                                         "style_2",      "café",        "v 1.5"};

/// The parts of the text that stand for embeddings.
std::vector<std::string> found(const std::string& text) {
  std::vector<std::string> parts;
  for (const auto& mention : find_embeddings(text, kNames)) {
    parts.push_back(kNames[mention.embedding] + "=" +
                    text.substr(mention.begin, mention.end - mention.begin));
  }
  return parts;
}

using Parts = std::vector<std::string>;

}  // namespace

TEST_CASE("embedding names: a name counts as a whole word, in any case") {
  CHECK(found("easynegative, BAD-hands-5") == Parts{"EasyNegative=easynegative", "bad-hands-5=BAD-hands-5"});
  CHECK(found("(EasyNegative:1.2)") == Parts{"EasyNegative=EasyNegative"});
  CHECK(found("a bad day").size() == 1);
  CHECK(found("badly, abad, bad2, bad_, xbad, bädly badé").empty());
  CHECK(found("style_2 style_22 my_style_2") == Parts{"style_2=style_2"});
  CHECK(found("a<toy>b <toy>") == Parts{"<toy>=<toy>", "<toy>=<toy>"});
  CHECK(found("un café!") == Parts{"café=café"});
  CHECK(found("v 1.5 v 1.55") == Parts{"v 1.5=v 1.5"});
  CHECK(found("").empty());
  CHECK(find_embeddings("bad", {}).empty());
}

TEST_CASE("embedding names: the explicit form takes prefix and ending with it") {
  CHECK(found("embedding:bad") == Parts{"bad=embedding:bad"});
  CHECK(found("a Embedding:BAD.safetensors, b") == Parts{"bad=Embedding:BAD.safetensors"});
  CHECK(found("(embedding:easynegative:1.3)") == Parts{"EasyNegative=embedding:easynegative"});
  CHECK(found("embedding:bad-hands-5.pt") == Parts{"bad-hands-5=embedding:bad-hands-5.pt"});
  CHECK(found("embedding:bad.") == Parts{"bad=embedding:bad"});
  CHECK(unknown_embeddings("embedding:bad, embedding:gone.pt (embedding:x:1.1)", kNames) ==
        Parts{"gone.pt", "x"});
  CHECK(unknown_embeddings("embedding:bad-hands", kNames) == Parts{"bad-hands"});
  CHECK(unknown_embeddings("embedding: a word, myembedding:x, embedding:", kNames).empty());
  CHECK(unknown_embeddings("embedding:gone", {}) == Parts{"gone"});
}

TEST_CASE("embedding names: a prompt's brackets and escapes are read first") {
  const std::vector<std::string> names = {"odd (name)", "bad"};
  const auto named =
      named_embeddings(R"(an odd \(name\), [bad] (embedding:gone:1.2))", PromptSyntax::weighted, names);
  CHECK(named.known == std::vector<std::size_t>{0, 1});
  CHECK(named.unknown == Parts{"gone"});
  CHECK(named_embeddings("bad bad", PromptSyntax::plain, names).known == std::vector<std::size_t>{1});
}
