// Everything that has to be guessed from CLI11's descriptions is guessed here.
#include "consumer/program/manual/page.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <CLI/CLI.hpp>

namespace waggle::program::manual {

namespace {

constexpr std::string_view kExamples = "Examples:\n";

std::string capitals(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '_' ? '-' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// Descriptions of an option's checks: "{cpu,cuda}", "INT in [0 - 65535]", "FILE", ...
std::vector<std::string> checks(const CLI::Option& option) {
  std::vector<std::string> texts;
  try {
    // Only its lack of const is missing from this look.
    for (int i = 0;; ++i)
      texts.push_back(const_cast<CLI::Option&>(option).get_validator(i)->get_description());
  } catch (const CLI::OptionNotFound&) {
    std::erase(texts, "");
    return texts;
  }
}

/// "{cpu,cuda}" -> cpu, cuda
std::vector<std::string> choices_of(std::string_view check) {
  std::vector<std::string> all;
  if (!check.starts_with('{') || !check.ends_with('}')) return all;
  check = check.substr(1, check.size() - 2);
  while (!check.empty()) {
    const std::size_t comma = std::min(check.find(','), check.size());
    all.emplace_back(check.substr(0, comma));
    check.remove_prefix(std::min(comma + 1, check.size()));
  }
  return all;
}

/// "INT in [0 - 65535]" -> "0 to 65535"
std::string range_of(std::string_view check) {
  const std::size_t open = check.find(" in ["), dash = check.find(" - ", open);
  if (open == std::string_view::npos || dash == std::string_view::npos || !check.ends_with(']')) return {};
  const std::string_view least = check.substr(open + 5, dash - open - 5);
  return std::string(least) + " to " + std::string(check.substr(dash + 3, check.size() - dash - 4));
}

Offer offer_of(std::string_view type, const std::vector<std::string>& texts) {
  const auto is = [&](std::string_view text) {
    return type == text || std::ranges::find(texts, text) != texts.end();
  };
  if (is("FILE") || is("PICTURE") || is("PATH") || is("PATH(existing)")) return Offer::files;
  if (is("DIR")) return Offer::folders;
  if (is("JOB")) return Offer::jobs;
  if (is("WORKER")) return Offer::workers;
  if (is("MODEL")) return Offer::models;
  return Offer::nothing;
}

bool takes_value(const CLI::Option& option) {
  return option.get_type_size_max() != 0 && option.get_items_expected_max() != 0;
}

Value value_of(const CLI::Option& option, const std::string& plain_name) {
  Value value;
  if (!takes_value(option)) return value;
  const auto texts = checks(option);
  std::string type = option.get_type_name();
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
    const std::string tail = ":" + *text;
    if (type.ends_with(tail)) type.resize(type.size() - tail.size());
  }
  for (const std::string& text : texts) {
    if (auto choices = choices_of(text); !choices.empty()) value.choices = std::move(choices);
    if (auto range = range_of(text); !range.empty()) value.range = std::move(range);
  }
  value.offer = value.choices.empty() ? offer_of(type, texts) : Offer::choices;
  // A model is a folder or one file.
  if (value.offer == Offer::folders && option.get_description().find(".safetensors") != std::string::npos)
    value.offer = Offer::files;
  const bool plain = type.empty() || type == "TEXT";
  if (option.get_positional()) {
    value.name = plain ? capitals(option.get_name(true)) : type;
    if (value.offer == Offer::nothing) value.offer = offer_of(value.name, {});
  } else if (plain && plain_name.ends_with("-dir")) {
    value.name = "DIR";
    value.offer = Offer::folders;
  } else if (plain && (plain_name.ends_with("-path") || plain_name.ends_with("-file") ||
                       plain_name.ends_with("-key"))) {
    value.name = "FILE";
    value.offer = Offer::files;
  } else if (plain && !value.choices.empty()) {
    value.name = capitals(plain_name);
  } else if (type == "INT" || type == "UINT") {
    value.name = "N";
  } else {
    value.name = type == "FLOAT" ? "NUMBER" : type.empty() ? "TEXT" : type;
  }
  return value;
}

bool is_repeatable(const CLI::Option& option) { return takes_value(option) && option.get_expected_max() > 1; }

Flag flag_of(const CLI::Option& option) {
  Flag flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.value = value_of(option, option.get_lnames().empty() ? "" : option.get_lnames().front());
  flag.text = option.get_description();
  flag.group = option.get_group();
  flag.fallback = option.get_default_str();
  if (flag.fallback == "\"\"" || flag.fallback == "[]") flag.fallback.clear();
  flag.variable = option.get_envname();
  flag.repeatable = is_repeatable(option);
  return flag;
}

}  // namespace

Page page_of(const CLI::App& app, std::string name, const ExitCodes& exit_codes) {
  Page page;
  page.name = std::move(name);
  page.summary = app.get_description();
  page.exit_codes = exit_codes;
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden on purpose
    if (option->get_positional()) {
      page.arguments.push_back(
          {value_of(*option, ""), option->get_description(), option->get_required(), is_repeatable(*option)});
      continue;
    }
    page.flags.push_back(flag_of(*option));
    if (std::ranges::find(groups, option->get_group()) == groups.end()) groups.push_back(option->get_group());
  }
  // --help, --version and --config are the first that an app gets, and the last that a reader wants.
  const auto rank = [&](const Flag& flag) {
    const std::string& last = flag.names.back();
    const bool of_all = last == "--help" || last == "--version" || last == "--config" || last == "--man" ||
                        last == "--completion" || last.starts_with("--log-");
    return std::pair(of_all, std::ranges::find(groups, flag.group) - groups.begin());
  };
  std::ranges::stable_sort(page.flags, {}, rank);
  for (Flag& flag : page.flags) {
    if (rank(flag).first) flag.group = "Every program";
  }
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
    page.commands.push_back(page_of(*command, page.name + " " + command->get_name(), exit_codes));
  std::string footer = app.get_footer();
  if (footer.starts_with(kExamples)) {
    const std::size_t end = std::min(footer.find("\n\n"), footer.size());
    page.examples = footer.substr(kExamples.size(), end - kExamples.size());
    if (!page.examples.ends_with('\n')) page.examples += '\n';
    footer.erase(0, end);
    footer.erase(0, footer.find_first_not_of('\n'));
  }
  page.note = std::move(footer);
  return page;
}

std::string usage(const Page& page) {
  std::string text = page.name;
  if (!page.flags.empty()) text += " [FLAGS]";
  if (!page.commands.empty()) text += " COMMAND";
  for (const Argument& argument : page.arguments) {
    const std::string name = argument.value.name + (argument.repeatable ? "..." : "");
    text += argument.required ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string_view command_name(const Page& page) {
  const std::size_t space = page.name.rfind(' ');
  return space == std::string::npos ? std::string_view() : std::string_view(page.name).substr(space + 1);
}

}  // namespace waggle::program::manual
