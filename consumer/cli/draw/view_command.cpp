// `waggle view`.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/draw/way.h"
#include "consumer/cli/output_file.h"
#include "schemas/limits.h"

namespace waggle::cli {

namespace {

constexpr int kFewestColumns = 32;  ///< a smaller picture is enlarged to it

struct ViewFlags {
  std::vector<std::filesystem::path> files;
  std::string how = "auto";
  std::optional<int> width;
};

Result<std::string> read_input(const std::filesystem::path& file) {
  if (file != "-") return read_file(file, limits::kMaxPictureBytes);
  std::string bytes;
  std::vector<char> buffer(64 * 1024);
  while (std::cin && bytes.size() <= limits::kMaxPictureBytes) {
    std::cin.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    bytes.append(buffer.data(), static_cast<std::size_t>(std::cin.gcount()));
  }
  return bytes;
}

/// Room for this picture: what was asked for, else the terminal, but small pictures are not blown up.
Canvas room_for(const pipeline::Picture& picture, const Plan& plan, std::optional<int> width) {
  Canvas canvas = plan.canvas;
  if (width) {
    canvas.columns = *width;
    canvas.rows = 0;
    return canvas;
  }
  const int own = (picture.width + canvas.cell_width - 1) / canvas.cell_width;
  canvas.columns = std::min(canvas.columns, std::max(own, kFewestColumns));
  return canvas;
}

ExitCode view(const Terminal& terminal, const ViewFlags& flags) {
  std::optional<Way> wanted;
  if (flags.how != "auto") wanted = way_from_name(flags.how);
  const Plan plan = plan_drawing(terminal, wanted);
  ExitCode code = ExitCode::ok;
  for (const std::filesystem::path& file : flags.files) {
    auto bytes = read_input(file);
    auto picture = bytes ? pipeline::decode(*bytes) : Result<pipeline::Picture>(bytes.error());
    if (!picture) {
      Error error = picture.error();
      if (bytes) error.message = file.string() + ": " + error.message;
      code = fail(terminal, error);
      continue;
    }
    const std::string drawn = draw(*picture, plan.way, room_for(*picture, plan, flags.width));
    if (flags.files.size() > 1) std::printf("%s\n", printable(file.string(), terminal.utf8).c_str());
    std::fwrite(drawn.data(), 1, drawn.size(), stdout);
    std::fflush(stdout);
  }
  return code;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<ViewFlags>();
  app.add_option("picture", flags->files, "PNG, JPEG or WebP; - is standard input")
      ->required()
      ->type_name("PICTURE");
  app.add_option("--how", flags->how, "auto, kitty, iterm2, sixel, blocks or ascii")
      ->check(CLI::IsMember({"auto", "kitty", "iterm2", "sixel", "blocks", "ascii"}))
      ->type_name("WAY")
      ->capture_default_str();
  app.add_option("--width", flags->width, "Columns (default: what fits the terminal)")
      ->check(CLI::Range(1, 1000))
      ->type_name("COLUMNS");
  return [flags](const Terminal& terminal) { return view(terminal, *flags); };
}

}  // namespace

const Command kViewCommand{"view", "Draw pictures in the terminal",
                           "  waggle view lighthouse.png\n"
                           "  waggle view --how blocks --width 60 *.png | less -R\n"
                           "  curl -s http://127.0.0.1:8080/v1/jobs/JOB/images/0 | waggle view -\n",
                           attach};

}  // namespace waggle::cli
