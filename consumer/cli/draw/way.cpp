// The environment first, for it costs nothing; then a question with a short patience.
#include "consumer/cli/draw/way.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace waggle::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{300};  ///< an answer comes at once, but for a far-away shell

constexpr std::array kNames{
    std::pair{Way::kitty, std::string_view("kitty")}, std::pair{Way::iterm2, std::string_view("iterm2")},
    std::pair{Way::sixel, std::string_view("sixel")}, std::pair{Way::blocks, std::string_view("blocks")},
    std::pair{Way::ascii, std::string_view("ascii")},
};

/// Without echo and line by line input, for as long as the object lives.
class RawInput {
 public:
  explicit RawInput(int terminal) : terminal_(terminal) {
    good_ = tcgetattr(terminal, &before_) == 0;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    good_ = good_ && tcsetattr(terminal, TCSANOW, &raw) == 0;
  }
  ~RawInput() {
    if (good_) tcsetattr(terminal_, TCSANOW, &before_);
  }
  RawInput(const RawInput&) = delete;
  RawInput& operator=(const RawInput&) = delete;
  [[nodiscard]] bool good() const { return good_; }

 private:
  int terminal_;
  termios before_{};
  bool good_ = false;
};

bool waits(int terminal, std::chrono::milliseconds patience) {
  pollfd input{terminal, POLLIN, 0};
  return poll(&input, 1, static_cast<int>(patience.count())) > 0;
}

/// The numbers of "62;4;22".
std::vector<int> numbers(std::string_view text) {
  std::vector<int> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    int value = -1;
    std::from_chars(text.data(), text.data() + end, value);
    all.push_back(value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::string_view from_process(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

std::optional<Answer> read_answer(std::string_view bytes) {
  Answer answer;
  for (std::size_t at = bytes.find("\033["); at != std::string_view::npos; at = bytes.find("\033[", at + 1)) {
    const std::size_t end = bytes.find_first_not_of("0123456789;?", at + 2);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view body = bytes.substr(at + 2, end - at - 2);
    if (bytes[end] == 't') {
      const auto size = numbers(body);
      if (size.size() == 3 && size[0] == 6 && size[1] > 0 && size[2] > 0) {
        answer.cell_height = size[1];
        answer.cell_width = size[2];
      }
    } else if (bytes[end] == 'c' && body.starts_with('?')) {
      // The first number is the terminal's class; the others are what it can do, 4 is sixel.
      const auto abilities = numbers(body.substr(1));
      for (std::size_t i = 1; i < abilities.size(); ++i) answer.sixel = answer.sixel || abilities[i] == 4;
      return answer;
    }
  }
  return std::nullopt;
}

std::optional<Answer> ask_terminal(int terminal, std::chrono::milliseconds patience) {
  // A process in the background that changed the terminal's modes would be stopped for it.
  if (tcgetpgrp(terminal) != getpgrp()) return std::nullopt;
  const RawInput raw(terminal);
  if (!raw.good() || waits(terminal, std::chrono::milliseconds(0))) return std::nullopt;
  if (write(terminal, kQuestion.data(), kQuestion.size()) != static_cast<ssize_t>(kQuestion.size()))
    return std::nullopt;
  std::string bytes;
  const auto deadline = Clock::now() + patience;
  for (auto now = Clock::now(); now < deadline; now = Clock::now()) {
    if (!waits(terminal, std::chrono::ceil<std::chrono::milliseconds>(deadline - now))) break;
    std::array<char, 256> buffer;
    const ssize_t got = read(terminal, buffer.data(), buffer.size());
    if (got <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (auto answer = read_answer(bytes)) return answer;
  }
  return std::nullopt;
}

std::optional<Way> way_by_environment(const Terminal& terminal, const Environment& environment) {
  const std::string_view term = environment("TERM"), program = environment("TERM_PROGRAM");
  if (!terminal.out_is_terminal || term.empty() || term == "dumb") return Way::ascii;
  // Inside tmux and screen the variables of the terminal around it are still set, but it is not what draws.
  const bool nested = !environment("TMUX").empty() || !environment("STY").empty() ||
                      term.starts_with("screen") || term.starts_with("tmux");
  if (nested) return std::nullopt;
  if (!environment("KITTY_WINDOW_ID").empty() || term.find("kitty") != std::string_view::npos ||
      term.find("ghostty") != std::string_view::npos || program == "ghostty")
    return Way::kitty;
  if (program == "iTerm.app" || program == "WezTerm" || program == "mintty" ||
      environment("LC_TERMINAL") == "iTerm2")
    return Way::iterm2;
  return std::nullopt;
}

namespace {

/// By a descriptor of its own: the streams may be open in one direction only.
std::optional<Answer> ask_own_terminal() {
  const int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return std::nullopt;
  auto answer = ask_terminal(terminal, kPatience);
  close(terminal);
  return answer;
}

}  // namespace

Plan plan_drawing(const Terminal& terminal, std::optional<Way> wanted) {
  Plan plan;
  plan.canvas.columns = terminal.width;
  // The prompt that follows needs a row too.
  if (terminal.out_is_terminal) plan.canvas.rows = std::max(terminal.height - 1, 1);
  plan.canvas.palette = terminal.palette;
  winsize window{};
  bool size_known = false;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_xpixel > 0 && window.ws_ypixel > 0 &&
      window.ws_col > 0 && window.ws_row > 0) {
    plan.canvas.cell_width = std::max(window.ws_xpixel / window.ws_col, 1);
    plan.canvas.cell_height = std::max(window.ws_ypixel / window.ws_row, 1);
    size_known = true;
  }
  std::optional<Way> way = wanted ? wanted : way_by_environment(terminal, from_process);
  const bool ask = terminal.out_is_terminal && (!way || (*way == Way::sixel && !size_known));
  if (const auto answer = ask ? ask_own_terminal() : std::nullopt) {
    if (!way && answer->sixel) way = Way::sixel;
    if (!size_known && answer->cell_width > 0) {
      plan.canvas.cell_width = answer->cell_width;
      plan.canvas.cell_height = answer->cell_height;
    }
  }
  if (!way)
    way = terminal.out_is_terminal && terminal.utf8 && terminal.palette != Palette::none ? Way::blocks
                                                                                         : Way::ascii;
  plan.way = *way;
  // Half a character is a square pixel, whatever the font says.
  if (plan.way == Way::blocks || plan.way == Way::ascii) {
    plan.canvas.cell_width = 1;
    plan.canvas.cell_height = 2;
  }
  // Whoever asks for blocks by name gets them where nothing says how many colours there are.
  if (plan.way == Way::blocks && plan.canvas.palette == Palette::none) plan.canvas.palette = Palette::direct;
  return plan;
}

std::optional<Way> way_from_name(std::string_view text) {
  for (const auto& [way, its_name] : kNames) {
    if (text == its_name) return way;
  }
  return std::nullopt;
}

std::string_view name(Way way) noexcept {
  for (const auto& [known, its_name] : kNames) {
    if (known == way) return its_name;
  }
  return {};
}

}  // namespace waggle::cli
