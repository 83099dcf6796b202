// Help, man pages and completions of a small program: read as text, run through groff where it is installed,
// and tried in a real bash (and parsed by zsh and fish where they are).
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <unistd.h>

#include "consumer/program/manual/writers.h"

using namespace waggle::program::manual;

namespace {

/// A program with everything that makes a writer stumble.
struct Demo {
  CLI::App app{"Draws \"it's\" bees: -dashes, back\\slashes, [brackets]", "demo"};
  std::string text, device = "cpu", job;
  std::vector<std::string> files;
  std::filesystem::path out = "out.png";
  int port = 0;
  bool json = false;

  Demo() {
    app.require_subcommand(1);
    CLI::App* draw = app.add_subcommand("draw", "Draw; `draw` it's [all]: \\n");
    draw->add_option("picture", files, "PNG, JPEG or WebP")->required()->type_name("PICTURE");
    draw->add_option("-o,--out", out, "File: its ending tells the format")
        ->type_name("FILE")
        ->capture_default_str();
    draw->add_option("--device", device, "cpu or cuda")
        ->check(CLI::IsMember({"cpu", "cuda"}))
        ->capture_default_str();
    draw->add_option("--lora", text, "LoRA's name")->type_name("NAME[:STRENGTH]");
    draw->add_option("--port", port, "Port")->check(CLI::Range(0, 65535))->envname("WAGGLE_PORT");
    draw->add_option("--secret", text, "Nobody should see this")->group("");
    draw->add_flag("--json", json, "Print JSON");
    draw->add_option(
        "--redis", text,
        "redis-sentinel://[user:password@]host[:port],host[:port],host[:port],...[/db]?master=name-of-it");
    draw->footer(
        "Examples:\n  demo draw a.png\n  demo draw 'b c.png' --out \\x.png\n\n.note that begins with a dot");
    app.add_subcommand("watch", "Watch a job")->add_option("job", job, "Job id")->required();
  }
  [[nodiscard]] Page page() const { return page_of(app, "demo", {{0, "done"}, {2, "wrong flags"}}); }
};

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "waggle-manual-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return path / name;
  }
  std::filesystem::path path;
};

/// What a command prints on both streams, and its exit status.
std::pair<std::string, int> shell(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), got);
  return {out, pclose(pipe)};
}

bool installed(const std::string& program) { return shell("command -v " + program).second == 0; }

/// What bash offers for these words, the last one being typed.
std::vector<std::string> offered(const Folder& folder, const std::vector<std::string>& words) {
  std::string script = "source " + (folder.path / "demo.bash").string() + "\nCOMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script +=
      ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) + "\n_demo\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
  const auto file = folder.write("try.bash", script);
  const auto [out, status] = shell("cd " + folder.path.string() + " && bash --norc " + file.string());
  CHECK(status == 0);
  std::vector<std::string> all;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) all.push_back(line);
  }
  std::ranges::sort(all);
  return all;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("manual: a page is read off the flags: values, choices, ranges, defaults, hidden ones left out") {
  const Page page = Demo().page();
  REQUIRE(page.commands.size() == 2);
  const Page& draw = page.commands.front();
  CHECK(draw.name == "demo draw");
  CHECK(usage(draw) == "demo draw [FLAGS] PICTURE...");
  const auto flag = [&](const std::string& name) {
    const auto found =
        std::ranges::find_if(draw.flags, [&](const Flag& each) { return each.names.back() == name; });
    REQUIRE(found != draw.flags.end());
    return *found;
  };
  CHECK(flag("--out").names == Words{"-o", "--out"});
  CHECK(flag("--out").value.offer == Offer::files);
  CHECK(flag("--out").fallback.find("out.png") != std::string::npos);
  CHECK(flag("--device").value.choices == Words{"cpu", "cuda"});
  CHECK(flag("--device").value.name == "DEVICE");
  CHECK(flag("--lora").value.name == "NAME[:STRENGTH]");
  CHECK(flag("--port").value.range == "0 to 65535");
  CHECK(flag("--port").value.name == "N");
  CHECK(flag("--port").variable == "WAGGLE_PORT");
  CHECK(flag("--json").value.name.empty());
  CHECK(std::ranges::none_of(draw.flags, [](const Flag& each) { return each.names.back() == "--secret"; }));
  CHECK(draw.examples == "  demo draw a.png\n  demo draw 'b c.png' --out \\x.png\n");
  CHECK(draw.note == ".note that begins with a dot");
  CHECK(page.commands.back().arguments.front().value.offer == Offer::jobs);
}

TEST_CASE("manual: help fits any width that words fit, and tells everything") {
  const Page page = Demo().page();
  for (const int width : {-5, 0, 20, 40, 60, 80, 110, 500}) {
    for (const Page* each : {&page, &page.commands[0], &page.commands[1]}) {
      const std::string text = help_text(*each, width);
      // Examples are never broken: they are there to be copied.
      std::istringstream lines(text.substr(0, text.find("Examples:")));
      for (std::string line; std::getline(lines, line);) {
        INFO(width << ": " << line);
        if (line.find("://") != std::string::npos) continue;  // one word
        CHECK(static_cast<int>(line.size()) <= std::clamp(width, 40, 110));
        CHECK_FALSE(line.ends_with(' '));
      }
    }
  }
  const std::string text = help_text(page.commands[0], 80);
  for (const char* part : {"Usage: demo draw [FLAGS] PICTURE...", "-o, --out FILE", "0 to 65535",
                           "demo draw a.png", "Exit codes: 0 done; 2 wrong flags."}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("manual: man pages are roff without a warning") {
  const Page page = Demo().page();
  const std::string text = man_page(page.commands[0], "1.2");
  CHECK(man_file_name(page.commands[0]) == "demo-draw.1");
  CHECK(text.find("\n.note") == std::string::npos);
  CHECK(text.find("\\&.note") != std::string::npos);
  CHECK(text.find("\\ex.png") != std::string::npos);
  if (!installed("groff")) return;
  const Folder folder;
  for (const Page* each : {&page, &page.commands[0], &page.commands[1]}) {
    const auto file = folder.write(man_file_name(*each), man_page(*each, "1.2"));
    const auto [out, status] = shell("groff -ww -man -Tascii -P-c -P-b -P-u " + file.string());
    CHECK(status == 0);
    INFO(out);
    CHECK(out.find("warning") == std::string::npos);
    CHECK(out.find("EXIT STATUS") != std::string::npos);
    if (each == &page.commands[0]) CHECK(out.find("--out \\x.png") != std::string::npos);
  }
}

TEST_CASE("manual: bash completes commands, flags, choices, files and what follows an equals sign") {
  const Folder folder;
  folder.write("demo.bash", completion(Demo().page(), Shell::bash));
  folder.write("one two.png", "");
  std::filesystem::create_directory(folder.path / "sub");
  CHECK(offered(folder, {"demo", ""}) == Words{"draw", "watch"});
  CHECK(offered(folder, {"demo", "dr"}) == Words{"draw"});
  CHECK(offered(folder, {"demo", "draw", "--de"}) == Words{"--device"});
  CHECK(offered(folder, {"demo", "draw", "-"}) ==
        Words{"--device", "--help", "--json", "--lora", "--out", "--port", "--redis", "-h", "-o"});
  CHECK(offered(folder, {"demo", "draw", "--device", ""}) == Words{"cpu", "cuda"});
  CHECK(offered(folder, {"demo", "draw", "--device", "=", "cu"}) == Words{"cuda"});
  CHECK(offered(folder, {"demo", "draw", "--device", "="}) == Words{"cpu", "cuda"});
  CHECK(offered(folder, {"demo", "draw", "--port", ""}).empty());
  CHECK(offered(folder, {"demo", "draw", "-o", "one"}) == Words{"one two.png"});
  CHECK(offered(folder, {"demo", "draw", "su"}) == Words{"sub"});
  CHECK(offered(folder, {"demo", "watch", "--"}) == Words{"--help"});
}

TEST_CASE("manual: the scripts are what their shells can parse") {
  const Folder folder;
  const Page page = Demo().page();
  for (const auto& [name, which] :
       {std::pair{"bash", Shell::bash}, std::pair{"zsh", Shell::zsh}, std::pair{"fish", Shell::fish}}) {
    const auto file = folder.write(name, completion(page, which));
    CHECK(shell_from_name(name) == which);
    if (!installed(name)) continue;
    const auto [out, status] = shell(std::string(name) + " -n " + file.string());
    INFO(name << ": " << out);
    CHECK(status == 0);
  }
  CHECK_FALSE(shell_from_name("tcsh"));
  const std::string fish = completion(page, Shell::fish);
  CHECK(fish.find("-n '__fish_seen_subcommand_from draw' -s o -l out -r -F") != std::string::npos);
  CHECK(fish.find("-d 'LoRA\\'s name'") != std::string::npos);
  const std::string zsh = completion(page, Shell::zsh);
  CHECK(zsh.starts_with("#compdef demo\n"));
  CHECK(zsh.find("'(-o --out)--out=[File\\: its ending tells the format]:FILE:_files'") != std::string::npos);
}
