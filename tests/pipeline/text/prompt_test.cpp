// Emphasis, chunks and embeddings of prompts. The expected weights are the examples of AUTOMATIC1111's
// documentation.
#include "pipeline/text/prompt.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/text/prompt_weights.h"
#include "tests/pipeline/text/scratch_folder.h"

using namespace waggle::pipeline;
using waggle::pipeline::test::golden_tokenizer;

namespace {

const Tokenizer& tokenizer() {
  static const Tokenizer loaded = Tokenizer::load(golden_tokenizer()).value();
  return loaded;
}

struct Expected {
  std::string text;
  double weight;
  bool starts_chunk = false;
};

void check_parts(const std::string& prompt, const std::vector<Expected>& expected) {
  CAPTURE(prompt);
  const auto parts = parse_weights(prompt);
  REQUIRE(parts.size() == expected.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CHECK(parts[i].text == expected[i].text);
    CHECK(parts[i].weight == Approx(expected[i].weight));
    CHECK(parts[i].starts_chunk == expected[i].starts_chunk);
  }
}

// The ids of a chunk between its begin and its end.
std::vector<std::int32_t> inner(const PromptChunk& chunk) {
  const auto end = std::find(chunk.ids.begin() + 1, chunk.ids.end(), tokenizer().end_of_text());
  return {chunk.ids.begin() + 1, end};
}

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("prompt: brackets weigh") {
  check_parts("normal text", {{"normal text", 1.0}});
  check_parts("an (important) word", {{"an ", 1.0}, {"important", 1.1}, {" word", 1.0}});
  check_parts("(unbalanced", {{"unbalanced", 1.1}});
  check_parts("[less] (more:1.5)", {{"less", 1 / 1.1}, {" ", 1.0}, {"more", 1.5}});
  check_parts("((twice)) [[half]]", {{"twice", 1.21}, {" ", 1.0}, {"half", 1 / 1.21}});
  check_parts("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky)))", {{"a ", 1.0},
                                                                     {"house", 1.573},
                                                                     {" ", 1.1},
                                                                     {"on", 1.0},
                                                                     {" a ", 1.1},
                                                                     {"hill", 0.55},
                                                                     {", sun, ", 1.1},
                                                                     {"sky", 1.4641}});
}

TEST_CASE("prompt: escaped brackets are text") {
  check_parts("\\(literal\\] \\\\", {{"(literal] \\", 1.0}});
  check_parts("(anna \\(frozen\\):1.2)", {{"anna (frozen)", 1.2}});
  check_parts("back\\slash\\", {{"backslash", 1.0}});
}

TEST_CASE("prompt: what closes nothing, and what is no weight, is text") {
  check_parts("a) b] c:1.2)", {{"a) b] c:1.2)", 1.0}});
  check_parts("(a:b)", {{"a:b", 1.1}});
  check_parts("(a:1.2.3)", {{"a:1.2.3", 1.1}});
  check_parts("(a:.)", {{"a:.", 1.1}});
  check_parts("ratio 16:9", {{"ratio 16:9", 1.0}});
  check_parts("(a : 1.4 )", {{"a ", 1.4}});
  check_parts("(a:-0.5)(b:+2)", {{"a", -0.5}, {"b", 2}});
  check_parts("", {{"", 1.0}});
  check_parts("()[]", {{"", 1.0}});
}

TEST_CASE("prompt: weights stay within what tensors hold") {
  CHECK(parse_weights("(a:99999999999999999999)").at(0).weight == 10);
  CHECK(parse_weights("(a:" + std::string(5000, '9') + ")").at(0).weight == 10);
  CHECK(parse_weights(repeated("(", 16000) + "a").at(0).weight == 10);
  const auto faint = parse_weights(repeated("[", 16000) + "a").at(0).weight;
  CHECK((faint >= 0 && faint < 1e-6));
}

TEST_CASE("prompt: BREAK is a word of its own, inside brackets too") {
  check_parts("cat BREAK dog", {{"cat", 1.0}, {"dog", 1.0, true}});
  check_parts("BREAKFAST, lunchBREAK", {{"BREAKFAST, lunchBREAK", 1.0}});
  check_parts("(cat BREAK dog:1.2)", {{"cat", 1.2}, {"dog", 1.2, true}});
  check_parts("cat BREAK (dog)", {{"cat", 1.0}, {"dog", 1.1, true}});
}

TEST_CASE("prompt: a plain prompt is what diffusers encodes") {
  for (const char* prompt : {"", "a photo of a cat", "(brackets:1.2) are [text] BREAK here", "caf\xC3\xA9"}) {
    const auto chunks = chunk_prompt(tokenizer(), prompt, PromptSyntax::plain);
    REQUIRE(chunks.size() == 1);
    CHECK(chunks[0].ids == tokenizer().encode_padded(prompt));
    CHECK(chunks[0].is_plain());
  }
  const std::string endless = repeated("cat ", 200);
  CHECK(chunk_prompt(tokenizer(), endless, PromptSyntax::plain).at(0).ids ==
        tokenizer().encode_padded(endless));
}

TEST_CASE("prompt: a short prompt without emphasis is the same in both syntaxes") {
  for (const char* prompt : {"", "a photo of a cat", "rock'n'roll, 16:9, 50% off"}) {
    const auto chunks = chunk_prompt(tokenizer(), prompt, PromptSyntax::weighted);
    REQUIRE(chunks.size() == 1);
    CHECK(chunks[0].ids == tokenizer().encode_padded(prompt));
    CHECK(chunks[0].is_plain());
  }
}

TEST_CASE("prompt: weights stand at the ids of their words") {
  const auto chunks = chunk_prompt(tokenizer(), "a (cat:1.5) on", PromptSyntax::weighted);
  REQUIRE(chunks.size() == 1);
  const std::size_t a = tokenizer().encode("a").size(), cat = tokenizer().encode("cat").size();
  for (std::size_t i = 0; i < 77; ++i) CHECK(chunks[0].weights[i] == (i > a && i <= a + cat ? 1.5f : 1.0f));
  CHECK_FALSE(chunks[0].is_plain());
}

TEST_CASE("prompt: a long prompt fills chunk after chunk and loses nothing") {
  const auto one = tokenizer().encode("x");
  REQUIRE(one.size() == 1);
  for (const int words : {75, 76, 150, 151, 400}) {
    const auto chunks = chunk_prompt(tokenizer(), repeated("x ", words), PromptSyntax::weighted);
    REQUIRE(chunks.size() == static_cast<std::size_t>((words + 74) / 75));
    std::size_t total = 0;
    for (const auto& chunk : chunks) {
      REQUIRE(chunk.ids.size() == 77);
      REQUIRE(chunk.weights.size() == 77);
      total += inner(chunk).size();
    }
    CHECK(total == static_cast<std::size_t>(words));
  }
}

TEST_CASE("prompt: a full chunk is cut behind a comma that is near") {
  const auto sizes = [](int before, int after) {
    const auto chunks = chunk_prompt(tokenizer(), repeated("x ", before) + ", " + repeated("(x:1.5) ", after),
                                     PromptSyntax::weighted);
    REQUIRE(chunks.size() == 2);
    CHECK(chunks[1].weights[1] == 1.5f);
    return std::pair(inner(chunks[0]).size(), inner(chunks[1]).size());
  };
  CHECK(sizes(70, 10) == std::pair<std::size_t, std::size_t>(71, 10));
  CHECK(sizes(55, 30) == std::pair<std::size_t, std::size_t>(56, 30));
  CHECK(sizes(54, 30) == std::pair<std::size_t, std::size_t>(75, 10));  // too far back
}

TEST_CASE("prompt: BREAK ends a chunk, and makes none that is empty") {
  const auto chunks = chunk_prompt(tokenizer(), "BREAK cat BREAK BREAK dog BREAK", PromptSyntax::weighted);
  REQUIRE(chunks.size() == 2);
  CHECK(chunks[0].ids == tokenizer().encode_padded("cat"));
  CHECK(chunks[1].ids == tokenizer().encode_padded("dog"));
  CHECK(chunk_prompt(tokenizer(), repeated("BREAK ", 3000), PromptSyntax::weighted).size() == 1);
}

TEST_CASE("prompt: embeddings take their places, the longer name first") {
  const std::vector<EmbeddingName> names = {{"<toy>", 2}, {"<toy> cat", 3}, {"style", 1}};
  const auto chunks =
      chunk_prompt(tokenizer(), "a <toy> cat, (<toy>:1.5) in style", PromptSyntax::weighted, names);
  REQUIRE(chunks.size() == 1);
  const PromptChunk& chunk = chunks[0];
  REQUIRE(chunk.embeddings.size() == 3);
  const std::size_t a = tokenizer().encode("a").size(), in = tokenizer().encode("in").size();
  CHECK(chunk.embeddings[0] == EmbeddingSpan{1, 1 + a});
  CHECK(chunk.embeddings[1] == EmbeddingSpan{0, 1 + a + 3 + 1});
  CHECK(chunk.embeddings[2] == EmbeddingSpan{2, 1 + a + 3 + 1 + 2 + in});
  CHECK(chunk.weights[chunk.embeddings[1].position + 1] == 1.5f);
}

TEST_CASE("prompt: an embedding is never cut") {
  const std::vector<EmbeddingName> names = {{"toy", 8}};
  const auto chunks = chunk_prompt(tokenizer(), repeated("x ", 70) + "toy x", PromptSyntax::weighted, names);
  REQUIRE(chunks.size() == 2);
  CHECK(chunks[0].embeddings.empty());
  REQUIRE(chunks[1].embeddings.size() == 1);
  CHECK(chunks[1].embeddings[0].position == 1);
  const auto plain = chunk_prompt(tokenizer(), repeated("x ", 70) + "toy x", PromptSyntax::plain, names);
  REQUIRE(plain.size() == 1);
  CHECK(inner(plain[0]).size() == 70);
}

TEST_CASE("prompt: an embedding behind the comma moves with its words") {
  const std::vector<EmbeddingName> names = {{"toy", 4}};
  const auto chunks = chunk_prompt(tokenizer(), repeated("x ", 60) + ", toy " + repeated("x ", 20),
                                   PromptSyntax::weighted, names);
  REQUIRE(chunks.size() == 2);
  CHECK(chunks[0].embeddings.empty());
  REQUIRE(chunks[1].embeddings.size() == 1);
  CHECK(chunks[1].embeddings[0].position == 1);
}

TEST_CASE("prompt: two prompts are given as many chunks") {
  auto positive = chunk_prompt(tokenizer(), repeated("x ", 200), PromptSyntax::weighted);
  auto negative = chunk_prompt(tokenizer(), "dark", PromptSyntax::weighted);
  equalize(tokenizer(), positive, negative);
  REQUIRE(positive.size() == 3);
  REQUIRE(negative.size() == 3);
  CHECK(negative[0].ids == tokenizer().encode_padded("dark"));
  CHECK(negative[2].ids == tokenizer().encode_padded(""));
}
