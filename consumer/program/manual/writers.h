// A page as text: for a terminal, for man, and as completion for three shells.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "consumer/program/manual/page.h"

namespace CLI {
class FormatterBase;
}

namespace waggle::program::manual {

/// What --help prints, no line wider than `width` where words allow it.
std::string help_text(const Page& page, int width);

/// roff with the man macros, section 1.
std::string man_page(const Page& page, std::string_view version);
/// "waggle-render.1"
std::string man_file_name(const Page& page);

enum class Shell { bash, zsh, fish };
std::optional<Shell> shell_from_name(std::string_view name);
/// A script that completes the program of this page with all its commands.
std::string completion(const Page& page, Shell shell);
/// Where a shell looks for it, below share/: "bash-completion/completions/waggle"
std::string completion_file(const Page& page, Shell shell);

/// The command that lists what a shell offers for such a value, one a line; empty when a shell knows itself.
std::string_view listing_command(Offer offer);

/// Columns for it: COLUMNS, else the terminal's, else 80.
int help_width();

/// Makes an app print help_text(). Give it to an app before its commands are added.
std::shared_ptr<CLI::FormatterBase> help_formatter(ExitCodes exit_codes, int width);

}  // namespace waggle::program::manual
