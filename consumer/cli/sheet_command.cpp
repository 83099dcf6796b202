// `waggle sheet`: pictures with their prompts on one page.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/output_file.h"
#include "consumer/cli/sheet/caption.h"
#include "consumer/cli/sheet/contact_sheet.h"
#include "consumer/cli/sheet/sheet_files.h"

namespace waggle::cli {

namespace {

struct SheetFlags {
  std::filesystem::path out;
  std::vector<std::filesystem::path> pictures;
  SheetLayout layout;
  bool force = false;
};

ExitCode sheet(const Terminal& terminal, const SheetFlags& flags) {
  if (auto format = format_of(flags.out); !format) return fail(terminal, format.error());
  if (auto writable = check_writable(flags.out); !writable) return fail(terminal, writable.error());
  auto pictures = picture_files(flags.pictures);
  if (!pictures) return fail(terminal, pictures.error());
  // `waggle sheet *.png` names the first picture as the sheet: it must not be lost.
  if (!flags.force && std::filesystem::exists(flags.out) && !is_sheet(flags.out)) {
    return fail(terminal,
                {ErrorCode::invalid_request, flags.out.string() + " exists and is no contact sheet; --force "
                                                                  "writes over it"});
  }
  auto written = write_sheets(flags.out, *pictures, flags.layout);
  if (!written) return fail(terminal, written.error());
  for (const auto& file : *written) std::printf("%s\n", file.c_str());
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<SheetFlags>();
  app.add_option("out", flags->out, "The sheet; its ending says the format: .png, .jpg, .webp")
      ->required()
      ->type_name("OUT");
  app.add_option("pictures", flags->pictures, "Pictures, or folders of them, in the order of the sheet")
      ->required()
      ->type_name("PICTURES");
  app.add_option("--columns", flags->layout.columns, "Pictures in a row, 0: about as many as rows")
      ->check(CLI::Range(0, ContactSheet::kMaxColumns))
      ->capture_default_str();
  app.add_option("--tile", flags->layout.tile, "Pixels of a picture's longer side on the sheet")
      ->check(CLI::Range(ContactSheet::kMinTile, ContactSheet::kMaxTile))
      ->capture_default_str();
  app.add_option("--lines", flags->layout.lines, "Lines of the prompt under a picture, 0: none")
      ->check(CLI::Range(0, 20))
      ->capture_default_str();
  app.add_option("--heading", flags->layout.heading, "Words over all")->type_name("TEXT");
  app.add_flag("--force", flags->force, "Write over OUT although it is no contact sheet");
  return [flags](const Terminal& terminal) { return sheet(terminal, *flags); };
}

}  // namespace

const Command kSheetCommand{
    "sheet", "Lay pictures out on one page, with their prompts under them",
    "  waggle sheet sheet.png fox.png bee.webp owl.jpg\n"
    "  waggle sheet sheet.jpg pictures/ --columns 8 --tile 192 --heading \"Monday's run\"\n",
    attach};

}  // namespace waggle::cli
