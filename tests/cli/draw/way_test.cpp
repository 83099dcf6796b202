// How a terminal is recognised: by its variables, and by its answers over a pseudo terminal on which the test
// plays the terminal.
#include "consumer/cli/draw/way.h"

#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace waggle::cli;
using namespace std::chrono_literals;

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

std::optional<Way> way(const Variables& variables, bool is_terminal = true) {
  Terminal terminal;
  terminal.out_is_terminal = is_terminal;
  return way_by_environment(terminal, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string_view() : std::string_view(found->second);
  });
}

/// Runs ask_terminal in a child on a pseudo terminal; this process answers its question with `reply`, typed
/// `early` before it was asked. The exit status: 0 no answer, 1 an answer, 2 an answer with sixel.
int asked(std::string_view reply, std::string_view early = {}) {
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
  REQUIRE(child >= 0);
  if (child == 0) {
    char go = 0;
    if (read(ready[0], &go, 1) != 1) _exit(9);
    const auto answer = ask_terminal(STDIN_FILENO, reply.empty() ? 50ms : 10s);
    _exit(!answer ? 0 : answer->sixel ? 2 : 1);
  }
  // The line discipline hands over whole lines only, until the child changes it.
  if (!early.empty())
    REQUIRE(write(master, early.data(), early.size()) == static_cast<ssize_t>(early.size()));
  REQUIRE(write(ready[1], "g", 1) == 1);
  std::string heard;
  char c = 0;
  while (heard.find(kQuestion) == std::string::npos) {
    pollfd input{master, POLLIN, 0};
    if (poll(&input, 1, 20'000) <= 0 || read(master, &c, 1) != 1) break;
    heard += c;
  }
  for (const char byte : reply) {
    if (write(master, &byte, 1) != 1) break;
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  for (const int file : {master, ready[0], ready[1]}) close(file);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("view: terminals that take whole pictures are known by their variables") {
  CHECK(way({{"TERM", "xterm-kitty"}}) == Way::kitty);
  CHECK(way({{"TERM", "xterm-256color"}, {"KITTY_WINDOW_ID", "1"}}) == Way::kitty);
  CHECK(way({{"TERM", "xterm-ghostty"}}) == Way::kitty);
  CHECK(way({{"TERM", "xterm-256color"}, {"TERM_PROGRAM", "iTerm.app"}}) == Way::iterm2);
  CHECK(way({{"TERM", "xterm-256color"}, {"LC_TERMINAL", "iTerm2"}}) == Way::iterm2);
  CHECK(way({{"TERM", "xterm-256color"}, {"TERM_PROGRAM", "WezTerm"}}) == Way::iterm2);
}

TEST_CASE("view: inside tmux the variables of the terminal around it decide nothing") {
  CHECK(way({{"TERM", "tmux-256color"}, {"TMUX", "/tmp/x"}, {"KITTY_WINDOW_ID", "1"}}) == std::nullopt);
  CHECK(way({{"TERM", "screen"}, {"STY", "1"}, {"TERM_PROGRAM", "iTerm.app"}}) == std::nullopt);
}

TEST_CASE("view: a file, a pipe and a dumb terminal get plain characters; others are asked") {
  CHECK(way({{"TERM", "xterm-kitty"}}, false) == Way::ascii);
  CHECK(way({{"TERM", "dumb"}}) == Way::ascii);
  CHECK(way({}) == Way::ascii);
  CHECK(way({{"TERM", "xterm-256color"}}) == std::nullopt);
}

TEST_CASE("view: answers of a terminal are read whatever comes before, between and around them") {
  CHECK_FALSE(read_answer(""));
  CHECK_FALSE(read_answer("\033[?62;4"));
  CHECK_FALSE(read_answer("\033[6;20;10t"));
  CHECK(read_answer("\033[?62;4;22c")->sixel);
  CHECK_FALSE(read_answer("\033[?4c")->sixel);  // the class, not an ability
  CHECK_FALSE(read_answer("\033[?62;22c")->sixel);
  const auto answer = read_answer("xx\033[A\033[6;20;10tyy\033[?62;22;4c");
  REQUIRE(answer);
  CHECK(answer->sixel);
  CHECK(answer->cell_height == 20);
  CHECK(answer->cell_width == 10);
  CHECK(read_answer("\033[6;-3;99999999999999t\033[?;;;;c")->cell_width == 0);
}

TEST_CASE("view: a terminal that is asked answers byte by byte, or not at all") {
  CHECK(asked("\033[6;18;9t\033[?62;4c") == 2);
  CHECK(asked("\033[?1;2c") == 1);
  CHECK(asked("") == 0);
}

TEST_CASE("view: what was typed before the question stays where it is") { CHECK(asked("", "ls\n") == 0); }

TEST_CASE("view: every way has a name that leads back to it") {
  for (const Way way : {Way::kitty, Way::iterm2, Way::sixel, Way::blocks, Way::ascii}) {
    CHECK(way_from_name(name(way)) == way);
  }
  CHECK_FALSE(way_from_name("oil"));
}
