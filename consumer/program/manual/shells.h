// One writer a shell, and the little they share. Seen by the writers alone.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/program/manual/page.h"

namespace waggle::program::manual {

std::string bash_completion(const Page& page);
std::string zsh_completion(const Page& page);
std::string fish_completion(const Page& page);

/// One word of a POSIX shell, in single quotes.
std::string quoted(std::string_view text);
/// "_waggle_queen": the name of the program's completion function.
std::string function_name(const Page& page);
/// One text of many.
std::string concat(std::initializer_list<std::string_view> parts);
/// Joined by blanks.
std::string words(const std::vector<std::string>& all);

}  // namespace waggle::program::manual
