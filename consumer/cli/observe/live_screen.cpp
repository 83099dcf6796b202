// Sequences of ECMA-48 and xterm's second screen, which every terminal of the last decades knows.
#include "consumer/cli/observe/live_screen.h"

#include <cstdio>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace waggle::cli {

LiveScreen::LiveScreen() {
  if (tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave its screen behind
    changed_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
  }
  std::fputs("\033[?1049h\033[?25l\033[2J", stdout);
  std::fflush(stdout);
}

LiveScreen::~LiveScreen() {
  std::fputs("\033[?25h\033[?1049l", stdout);
  std::fflush(stdout);
  if (changed_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

TerminalSize LiveScreen::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    return {size.ws_col, size.ws_row};
  return terminal_size();
}

void LiveScreen::draw(const std::vector<std::string>& lines) {
  std::string out = "\033[H";
  for (std::size_t i = 0; i < lines.size(); ++i)
    out.append(i == 0 ? "" : "\r\n").append(lines[i]).append("\033[K");
  out += "\033[J";
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

std::optional<char> LiveScreen::key(std::chrono::milliseconds patience) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char c = 0;
  if (poll(&input, 1, static_cast<int>(patience.count())) <= 0 || read(STDIN_FILENO, &c, 1) != 1)
    return std::nullopt;
  return c;
}

}  // namespace waggle::cli
