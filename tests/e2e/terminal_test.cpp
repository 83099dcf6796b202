// What a terminal can take is what it gets: colours, characters, width.
#include <algorithm>

#include <catch2/catch.hpp>

#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "pipeline/image/picture.h"
#include "tests/e2e/machine.h"
#include "tests/e2e/on_terminal.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {

const std::string kWaggle = std::string(WAGGLE_PROGRAMS) + "/waggle";

/// A red picture whose prompt is in Japanese.
struct RedPicture {
  cli::PrivateFolder folder{"waggle-test-"};
  std::string file = (folder.path() / "red.png").string();
  RedPicture() {
    pipeline::Picture picture{.width = 64, .height = 64, .channels = 3, .samples = {}};
    for (int i = 0; i < 64 * 64; ++i) picture.samples.insert(picture.samples.end(), {255, 0, 0});
    const pipeline::TextFields text{
        {"parameters", "\u65e5\u672c\nSteps: 20, Sampler: Euler, Seed: 1, Size: 64x64"}};
    REQUIRE(cli::write_atomically(file, pipeline::encode(picture, OutputFormat::png, text)));
  }
};

/// Everything that a program draws, its terminal answering the question that it may ask.
std::string drawn(std::vector<std::string> arguments, const std::vector<std::string>& environment,
                  const std::string& answer = "\033[?62c") {
  OnTerminal terminal(std::move(arguments), 80, 24, environment);
  terminal.answer("\033[c", answer);
  CHECK(terminal.end() == 0);
  return terminal.heard();
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

TEST_CASE("terminal: a picture is drawn the best way that the terminal says it has") {
  const RedPicture red;
  const std::vector<std::string> view{kWaggle, "view", red.file};
  CHECK(drawn(view, {}).find("\033[38;5;196") != std::string::npos);
  CHECK(drawn(view, {"COLORTERM=truecolor"}).find("\033[38;2;25") != std::string::npos);
  CHECK(drawn(view, {}, "\033[6;20;10t\033[?62;4c").find("\033P0;1;0q") != std::string::npos);
  CHECK(drawn(view, {"TERM=xterm-kitty"}).find("\033_Ga=T") != std::string::npos);
  CHECK(drawn(view, {"TERM_PROGRAM=iTerm.app"}).find("\033]1337;File=") != std::string::npos);
}

TEST_CASE("terminal: without UTF-8 nothing but ASCII is drawn, with NO_COLOR nothing coloured") {
  const RedPicture red;
  const std::string plain = drawn({kWaggle, "view", red.file}, {"LC_ALL=C"});
  CHECK(is_ascii(plain));
  CHECK(plain.find("\033[48;5;196m") != std::string::npos);
  const std::string bare = drawn({kWaggle, "view", red.file}, {"NO_COLOR=1"});
  CHECK(bare.find("m ") == std::string::npos);
  CHECK(bare.find("\033[38") == std::string::npos);
  const std::string info = drawn({kWaggle, "info", red.file}, {"LC_ALL=C"});
  CHECK(is_ascii(info));
  CHECK(info.find("??") != std::string::npos);
  CHECK(info.find("\033[36m") != std::string::npos);
  CHECK(drawn({kWaggle, "info", red.file}, {"NO_COLOR=1"}).find('\033') == std::string::npos);
  CHECK(drawn({kWaggle, "info", red.file}, {}).find("\u65e5\u672c") != std::string::npos);
}

TEST_CASE("terminal: a pipe gets plain lines, and the characters as they are") {
  const RedPicture red;
  const Run info = run("waggle", {"info", red.file});
  CHECK(info.output.find('\033') == std::string::npos);
  CHECK(info.output.find("\u65e5\u672c") != std::string::npos);
  const Run view = run("waggle", {"view", red.file});
  CHECK(is_ascii(view.output));
  CHECK(view.output.find('\033') == std::string::npos);
}

TEST_CASE("terminal: help is as wide as the window or COLUMNS") {
  const auto widest = [](const std::string& text) {
    std::size_t most = 0, length = 0;
    for (const char c : text.substr(0, text.find("Examples:"))) {
      length = c == '\n' || c == '\r' ? 0 : length + 1;
      most = std::max(most, length);
    }
    return most;
  };
  CHECK(widest(drawn({kWaggle, "render", "--help"}, {})) <= 80);
  CHECK(widest(drawn({kWaggle, "render", "--help"}, {"COLUMNS=50"})) <= 50);
  CHECK(widest(drawn({kWaggle, "render", "--help"}, {"COLUMNS=100"})) > 80);
}
