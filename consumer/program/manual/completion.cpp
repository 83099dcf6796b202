// What the three shells' scripts share.
#include "consumer/program/manual/shells.h"
#include "consumer/program/manual/writers.h"

namespace waggle::program::manual {

std::optional<Shell> shell_from_name(std::string_view name) {
  if (name == "bash") return Shell::bash;
  if (name == "zsh") return Shell::zsh;
  if (name == "fish") return Shell::fish;
  return std::nullopt;
}

std::string_view listing_command(Offer offer) {
  // The first column of a table, without its heading.
  switch (offer) {
    case Offer::jobs:
      return "waggle jobs --limit 50 --timeout 1 2>/dev/null | awk 'NR > 1 && length($1) == 36 { print $1 }'";
    case Offer::workers:
      return "waggle workers --timeout 1 2>/dev/null | awk 'NR > 1 { print $1 }'";
    case Offer::models:
      return "waggle models --timeout 1 2>/dev/null | awk 'NR > 1 { print $1 }'";
    case Offer::nothing:
    case Offer::choices:
    case Offer::files:
    case Offer::folders:
      return {};
  }
  return {};
}

std::string completion(const Page& page, Shell shell) {
  switch (shell) {
    case Shell::bash:
      return bash_completion(page);
    case Shell::zsh:
      return zsh_completion(page);
    case Shell::fish:
      return fish_completion(page);
  }
  return {};
}

std::string completion_file(const Page& page, Shell shell) {
  switch (shell) {
    case Shell::bash:
      return "bash-completion/completions/" + page.name;
    case Shell::zsh:
      return "zsh/site-functions/_" + page.name;
    case Shell::fish:
      return "fish/vendor_completions.d/" + page.name + ".fish";
  }
  return {};
}

std::string concat(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out += '\'';
}

std::string function_name(const Page& page) {
  std::string name = "_";
  for (const char c : page.name) name += c == '-' ? '_' : c;
  return name;
}

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& each : all) text.append(text.empty() ? "" : " ").append(each);
  return text;
}

}  // namespace waggle::program::manual
