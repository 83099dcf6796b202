// A terminal that is drawn on as a whole, on its second screen, and read key by key. Plain escape sequences:
// one screen of lines needs no library, and drawing stays a function of text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <termios.h>

#include "consumer/cli/terminal.h"

namespace waggle::cli {

class LiveScreen {
 public:
  /// Takes over standard input and output, which are terminals. Ctrl-C stays a signal.
  LiveScreen();
  /// Gives the terminal back as it was.
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// As it is now: windows are resized.
  [[nodiscard]] static TerminalSize size();
  /// In place: what did not change does not flicker.
  void draw(const std::vector<std::string>& lines);
  /// The next key, or nothing after the time.
  std::optional<char> key(std::chrono::milliseconds patience);

 private:
  termios before_{};
  bool changed_ = false;
};

}  // namespace waggle::cli
