// A program on a pseudo terminal, of which the test plays the other end: it reads what is drawn, types, and
// pulls at the window.
#pragma once

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/machine.h"

namespace waggle::e2e {

/// A program on a pseudo terminal of this size.
class OnTerminal {
 public:
  OnTerminal(std::vector<std::string> arguments, unsigned short columns, unsigned short rows,
             const std::vector<std::string>& environment = {}) {
    winsize size{rows, columns, 0, 0};
    child_ = forkpty(&master_, nullptr, nullptr, &size);
    REQUIRE(child_ >= 0);
    if (child_ != 0) return;
    for (const char* name : {"NO_COLOR", "COLORTERM", "COLUMNS", "LINES", "TMUX", "STY", "LC_ALL", "LC_CTYPE",
                             "KITTY_WINDOW_ID", "TERM_PROGRAM"})
      unsetenv(name);
    setenv("TERM", "xterm-256color", 1);
    setenv("LANG", "C.UTF-8", 1);
    for (const std::string& setting : environment) putenv(strdup(setting.c_str()));
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    execv(pointers.front(), pointers.data());
    _exit(127);
  }
  ~OnTerminal() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
    close(master_);
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  /// Reads until the text has come since the last call; false when it does not.
  bool says(const std::string& text) {
    const bool found = eventually([&] {
      read_waiting();
      return heard_.find(text) != std::string::npos;
    });
    if (found) heard_.clear();
    return found;
  }
  /// When the program asks this, it is told that; returns once it has asked or ended.
  void answer(const std::string& question, const std::string& reply) {
    const bool asked = eventually([&] {
      read_waiting();
      siginfo_t info{};
      return heard_.find(question) != std::string::npos ||
             (waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
              info.si_pid != 0);
    });
    CHECK(asked);
    if (heard_.find(question) != std::string::npos) {
      for (const char key : reply) type(key);
    }
  }
  void type(char key) { REQUIRE(write(master_, &key, 1) == 1); }
  void resize(unsigned short columns, unsigned short rows) {
    winsize size{rows, columns, 0, 0};
    REQUIRE(ioctl(master_, TIOCSWINSZ, &size) == 0);
  }
  /// Its exit status once it has ended by itself.
  int end() {
    int status = 0;
    const bool ended = eventually([&] {
      read_waiting();
      return waitpid(child_, &status, WNOHANG) == child_;
    });
    REQUIRE(ended);
    child_ = -1;
    read_waiting();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  void read_waiting() {
    char buffer[4096];
    for (pollfd input{master_, POLLIN, 0}; poll(&input, 1, 0) > 0;) {
      const ssize_t got = read(master_, buffer, sizeof buffer);
      if (got <= 0) return;
      heard_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  int master_ = -1;
  pid_t child_ = -1;
  std::string heard_;
};

}  // namespace waggle::e2e
