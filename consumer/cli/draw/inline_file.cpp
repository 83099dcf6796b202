// The two ways that hand the terminal a whole PNG: kitty's graphics protocol
// (https://sw.kovidgoyal.net/kitty/graphics-protocol/) and iTerm2's inline images
// (https://iterm2.com/documentation-images.html).
#include <string_view>

#include "consumer/cli/draw/draw.h"
#include "schemas/codec/base64.h"

namespace waggle::cli {

namespace {
constexpr std::size_t kKittyChunk = 4096;  ///< the most that one of kitty's commands may carry
}

std::string draw_kitty(const pipeline::Picture& picture, TerminalSize size) {
  const std::string text = codec::base64_encode(encode(picture, OutputFormat::png));
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += kKittyChunk) {
    const bool last = at + kKittyChunk >= text.size();
    out += "\033_G";
    // Transmit and show a PNG in so many cells; q=2: answer nothing, there is nobody to read it.
    if (at == 0) {
      out += "a=T,f=100,q=2,c=" + std::to_string(size.columns) + ",r=" + std::to_string(size.rows) + ",";
    }
    out.append(last ? "m=0;" : "m=1;").append(text, at, kKittyChunk).append("\033\\");
  }
  return out + "\n";
}

std::string draw_iterm2(const pipeline::Picture& picture, TerminalSize size) {
  const std::string bytes = encode(picture, OutputFormat::png);
  return "\033]1337;File=inline=1;size=" + std::to_string(bytes.size()) +
         ";width=" + std::to_string(size.columns) + ";height=" + std::to_string(size.rows) +
         ";preserveAspectRatio=1:" + codec::base64_encode(bytes) + "\a\n";
}

}  // namespace waggle::cli
