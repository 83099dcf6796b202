// Broken and hostile tokenizer files: each is an error that names the file, and the line where there is one.
#include "pipeline/text/vocabulary.h"

#include <random>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "tests/pipeline/text/scratch_folder.h"

using waggle::ErrorCode;
using waggle::pipeline::load_vocabulary;
using namespace waggle::pipeline::test;

namespace {

std::string failure(const ScratchFolder& folder) {
  const auto vocabulary = load_vocabulary(folder.path());
  if (vocabulary) return "(no error)";
  CHECK(vocabulary.error().code == ErrorCode::model_load_failed);
  return vocabulary.error().message;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("vocabulary: missing files are named") {
  for (const std::string name : {"vocab.json", "merges.txt"}) {
    const ScratchTokenizer folder;
    std::filesystem::remove(folder.path() / name);
    CHECK_THAT(failure(folder), Catch::Contains(name));
  }
}

TEST_CASE("vocabulary: every truncation of vocab.json is an error") {
  const ScratchTokenizer folder;
  const std::string whole = folder.read("vocab.json");
  for (std::size_t size = 0; size < whole.size(); size += size < 64 || size + 64 > whole.size() ? 1 : 97) {
    folder.write("vocab.json", std::string_view(whole).substr(0, size));
    CAPTURE(size);
    REQUIRE_THAT(failure(folder), Catch::Contains("vocab.json, line 1"));
  }
}

TEST_CASE("vocabulary: ids that are no ids, with their line") {
  const ScratchTokenizer folder;
  const std::string whole = folder.read("vocab.json");
  const auto with_first_id = [&](std::string_view id) {
    folder.write("vocab.json", replaced(whole, "{\"!\": 0", "{\n\n\"!\": " + std::string(id)));
    return failure(folder);
  };
  CHECK_THAT(with_first_id("-1"), Catch::Contains("line 3: an id is negative"));
  CHECK_THAT(with_first_id("1"), Catch::Contains("belongs to two tokens"));
  CHECK_THAT(with_first_id("1048577"), Catch::Contains("an id is above 1048576"));
  CHECK_THAT(with_first_id("18446744073709551615"), Catch::Contains("an id is above"));
  CHECK_THAT(with_first_id("99999999999999999999999"), Catch::Contains("no whole number"));
  CHECK_THAT(with_first_id("0.5"), Catch::Contains("no whole number"));
  CHECK_THAT(with_first_id("null"), Catch::Contains("null is not an id"));
  CHECK_THAT(with_first_id("\"0\""), Catch::Contains("a string is not an id"));
  CHECK_THAT(with_first_id("[0]"), Catch::Contains("an array is not an id"));
  CHECK_THAT(with_first_id("{}"), Catch::Contains("an object is not an id"));
}

TEST_CASE("vocabulary: documents that are no object of tokens") {
  const ScratchTokenizer folder;
  for (const std::string_view document :
       {"", "[]", "7", "\"x\"", "null", "{\"a\"", "{\"a\": 1,}", "\xFF\xFE", "{\"\xFF\": 1}"}) {
    folder.write("vocab.json", document);
    CAPTURE(document);
    CHECK_THAT(failure(folder), Catch::Contains("vocab.json"));
  }
  folder.write("vocab.json", "{\"a\": 0, \"a\": 1}");
  CHECK_THAT(failure(folder), Catch::Contains("a token occurs twice"));
  folder.write("vocab.json", "{\"a\": 0}");
  CHECK_THAT(failure(folder), Catch::Contains("no token for the single byte 0"));
  folder.write("vocab.json", std::string(100'000, '['));
  CHECK_THAT(failure(folder), Catch::Contains("an array is not an id"));
}

TEST_CASE("vocabulary: lines of merges.txt that are no merges") {
  const ScratchTokenizer folder;
  const std::string whole = folder.read("merges.txt");
  const auto with_line_3 = [&](std::string_view line) {
    const std::size_t second = whole.find('\n') + 1, third = whole.find('\n', second) + 1;
    folder.write("merges.txt", whole.substr(0, third) + std::string(line) + "\n" + whole.substr(third));
    return failure(folder);
  };
  CHECK_THAT(with_line_3("lonely"), Catch::Contains("merges.txt, line 3: must be two symbols"));
  CHECK_THAT(with_line_3(" n"), Catch::Contains("line 3: must be two symbols"));
  CHECK_THAT(with_line_3("i "), Catch::Contains("line 3: must be two symbols"));
  CHECK_THAT(with_line_3("i n g"), Catch::Contains("line 3: must be two symbols"));
  CHECK_THAT(with_line_3("qqq zzz"), Catch::Contains("line 3: merges symbols that vocab.json does not have"));
  CHECK_THAT(with_line_3("i n"), Catch::Contains("line 3: repeats an earlier merge"));
  CHECK_THAT(with_line_3(std::string(5 << 20, 'x')), Catch::Contains("line 3: is longer than any merge"));
}

TEST_CASE("vocabulary: a byte-order mark, CRLF and a missing version line are forgiven") {
  const ScratchTokenizer folder;
  const auto original = load_vocabulary(folder.path());
  REQUIRE(original.has_value());
  const auto same = [&] {
    const auto vocabulary = load_vocabulary(folder.path());
    if (!vocabulary) FAIL(vocabulary.error().message);
    REQUIRE(vocabulary.value().merges.size() == original.value().merges.size());
    for (const auto& [key, merge] : original.value().merges) {
      REQUIRE(vocabulary.value().merges.at(key).rank == merge.rank);
      REQUIRE(vocabulary.value().merges.at(key).product == merge.product);
    }
  };
  const std::string merges = folder.read("merges.txt");
  std::string crlf;
  for (const char c : merges) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  folder.write("merges.txt", crlf);
  same();
  folder.write("merges.txt", "\xEF\xBB\xBF" + merges);
  same();
  folder.write("merges.txt", merges.substr(merges.find('\n') + 1));
  same();
  folder.write("merges.txt", merges + "more merges\nthan the vocabulary has room for\n");
  same();
  folder.write("vocab.json", "\xEF\xBB\xBF" + folder.read("vocab.json"));
  same();
}

TEST_CASE("vocabulary: a file of 100 MB is refused unread") {
  const ScratchTokenizer folder;
  std::filesystem::resize_file(folder.path() / "merges.txt", 100u << 20);
  CHECK_THAT(failure(folder), Catch::Contains("merges.txt: has more than 32 MiB"));
  std::filesystem::resize_file(folder.path() / "vocab.json", 100u << 20);
  CHECK_THAT(failure(folder), Catch::Contains("vocab.json: has more than 32 MiB"));
}

TEST_CASE("vocabulary: special tokens that are missing or mistyped") {
  const ScratchTokenizer folder;
  const auto with_map = [&](std::string_view map) {
    folder.write("special_tokens_map.json", map);
    return failure(folder);
  };
  CHECK_THAT(with_map(R"({"pad_token": "nowhere"})"),
             Catch::Contains("no id for the special token 'nowhere'"));
  CHECK_THAT(with_map(R"({"bos_token": 7})"), Catch::Contains("bos_token is no string"));
  CHECK_THAT(with_map(R"({"eos_token": {}})"), Catch::Contains("eos_token has no content"));
  CHECK_THAT(with_map("[]"), Catch::Contains("special_tokens_map.json: is not a JSON object"));
  CHECK_THAT(with_map("{"), Catch::Contains("special_tokens_map.json: is not a JSON object"));
  CHECK_THAT(with_map(std::string(100'000, '[')), Catch::Contains("is not a JSON object"));
  CHECK(with_map(R"({"pad_token": null})") == "(no error)");
}

TEST_CASE("vocabulary: flipped bits are an error or a vocabulary, never more") {
  const ScratchTokenizer folder;
  std::mt19937 random(3);
  for (const std::string name : {"vocab.json", "merges.txt", "special_tokens_map.json"}) {
    const std::string whole = folder.read(name);
    for (int round = 0; round < 150; ++round) {
      std::string broken = whole;
      for (int flips = 0; flips < 3; ++flips) {
        char& c = broken[random() % broken.size()];
        c = static_cast<char>(c ^ (1 << (random() % 8)));
      }
      folder.write(name, broken);
      const auto vocabulary = load_vocabulary(folder.path());
      if (vocabulary) CHECK(vocabulary.value().size > 0);
    }
    folder.write(name, whole);
  }
}
