// Names of pictures: safe, below their folder, never the same twice.
#include <string>

#include <catch2/catch.hpp>

#include "consumer/cli/batch/name_template.h"
#include "consumer/cli/batch/plan.h"

using namespace waggle;
using namespace waggle::cli::batch;

namespace {

std::string expand(const char* text, const std::string& prompt) {
  auto parsed = NameTemplate::parse(text);
  REQUIRE(parsed);
  return parsed->expand([&prompt](std::string_view field) -> std::optional<std::string> {
    if (field == "prompt") return prompt;
    if (field == "index") return "7";
    return std::nullopt;
  });
}

PlannedJob job(std::size_t index, const char* prompt, int images = 1) {
  PlannedJob made{index, 1, {}, {}, {}};
  made.request.prompt = prompt;
  made.request.n = images;
  made.request.seed = 40;
  return made;
}

}  // namespace

TEST_CASE("names: fields, digits, lengths and braces") {
  CHECK(expand("{index:05}-{prompt:9}", "a fox, red!") == "00007-a-fox-red");
  CHECK(expand("{index}{{x}}", "") == "7{x}");
  CHECK(expand("{prompt:3}", "лиса") == "лис");
  CHECK(expand("{index:05}-{prompt:40}", "???") == "00007");
  for (const char* bad :
       {"", "{index", "index}", "{}", "{index:x}", "{index:0}", "/tmp/x", "../x", "a/../../x"}) {
    INFO(bad);
    CHECK_FALSE(NameTemplate::parse(bad));
  }
}

TEST_CASE("names: nothing that a prompt says leaves the folder or hides a file") {
  for (const char* hostile :
       {"../../etc/passwd", "/etc/passwd", "..", ".", ".hidden", "-rf", "a\nb", "a\\b", "a:b*c?", "", " "}) {
    const std::string name = expand("{prompt}", hostile);
    INFO(hostile << " -> " << name);
    CHECK_FALSE(name.empty());
    CHECK(name.find_first_of("/\\\n:*?") == std::string::npos);
    CHECK(name.front() != '.');
    CHECK(name.front() != '-');
  }
  CHECK(expand("{prompt}/{index}", "..") == "picture/7");
  CHECK(expand("{prompt}/{index}", "a/b") == "a-b/7");
  CHECK(expand("{prompt}", std::string(5000, 'x')).size() <= 150);
  CHECK(expand("{prompt}", std::string(149, 'x') + "\xD0\xB6").size() == 149);
}

TEST_CASE("names: the same name twice, also in other case or already there, gets a number") {
  UniqueNames names([](const std::string& file) { return file == "bee.png"; });
  CHECK(names.next("fox", ".png") == "fox.png");
  CHECK(names.next("Fox", ".png") == "Fox-2.png");
  CHECK(names.next("fox", ".png") == "fox-3.png");
  CHECK(names.next("bee", ".png") == "bee-2.png");
}

TEST_CASE("names: the images of one job are told apart") {
  UniqueNames names([](const std::string&) { return false; });
  std::vector<PlannedJob> jobs{job(0, "a fox", 2), job(1, "a fox", 2)};
  REQUIRE(name_files(jobs, NameTemplate::parse("{prompt}").value(), names));
  CHECK(jobs[0].files == std::vector<std::string>{"a-fox-1.png", "a-fox-2.png"});
  CHECK(jobs[1].files == std::vector<std::string>{"a-fox-1-2.png", "a-fox-2-2.png"});

  UniqueNames others([](const std::string&) { return false; });
  std::vector<PlannedJob> seeds{job(0, "a fox", 2)};
  REQUIRE(name_files(seeds, NameTemplate::parse("{index:03}-{seed}").value(), others));
  CHECK(seeds[0].files == std::vector<std::string>{"000-40.png", "000-41.png"});

  const auto unknown = name_files(seeds, NameTemplate::parse("{colour}").value(), others);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message.find("{colour}") != std::string::npos);
}
