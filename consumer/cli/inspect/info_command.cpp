// `waggle info`.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/inspect/recipe.h"
#include "consumer/cli/inspect/recipe_report.h"
#include "consumer/cli/output_file.h"
#include "schemas/limits.h"

namespace waggle::cli {

namespace {

struct InfoFlags {
  std::vector<std::filesystem::path> files;
  bool json = false, raw = false;
};

ExitCode info(const Terminal& terminal, const InfoFlags& flags) {
  ExitCode code = ExitCode::ok;
  bool first = true;
  for (const std::filesystem::path& file : flags.files) {
    const auto complain = [&](Error error) {
      if (!error.message.starts_with(file.string())) error.message = file.string() + ": " + error.message;
      code = fail(terminal, error);
    };
    auto bytes = read_file(file, limits::kMaxPictureBytes);
    if (!bytes) {
      complain(bytes.error());
      continue;
    }
    auto facts = facts_of(file.string(), *bytes);
    if (!facts) {
      complain(facts.error());
      continue;
    }
    if (flags.json) {
      std::printf("%s\n", facts_json(*facts).c_str());
    } else {
      if (!first) std::puts("");
      std::fputs((flags.raw ? raw_text(*facts, terminal.utf8) : facts_text(*facts, terminal)).c_str(),
                 stdout);
    }
    std::fflush(stdout);
    first = false;
    if (!facts->recipe && !flags.raw) complain(facts->recipe.error());
  }
  return code;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<InfoFlags>();
  app.add_option("picture", flags->files, "PNG, JPEG or WebP")->required()->type_name("PICTURE");
  auto* json = app.add_flag("--json", flags->json, "Print one JSON object a picture");
  app.add_flag("--raw", flags->raw, "Print the texts as they are in the picture")->excludes(json);
  return [flags](const Terminal& terminal) { return info(terminal, *flags); };
}

}  // namespace

const Command kInfoCommand{"info", "Print what a picture was made from: by waggle, AUTOMATIC1111 or ComfyUI",
                           "  waggle info lighthouse.png\n"
                           "  waggle info --json *.png | jq -r '[.file, .job.seed] | @tsv'\n"
                           "  waggle render --model models/sd15 --like lighthouse.png -o again.png\n",
                           attach};

}  // namespace waggle::cli
