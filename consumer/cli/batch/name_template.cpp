// Parsing, expanding and cleaning of names.
#include "consumer/cli/batch/name_template.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace waggle::cli::batch {

namespace {

constexpr std::size_t kLongestComponent =
    150;  ///< bytes; file systems take 255, endings and ".part" included

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The first so many characters, or bytes, never half a character.
std::string_view first_characters(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  while (at < text.size() && characters > 0) {
    do ++at;
    while (at < text.size() && is_continuation(text[at]));
    --characters;
  }
  return text.substr(0, at);
}
std::string_view first_bytes(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && is_continuation(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

std::string_view without_ends(std::string_view text, std::string_view ends) {
  const std::size_t first = text.find_first_not_of(ends);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(ends) + 1 - first);
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

Error bad(const std::string& message) { return {ErrorCode::invalid_request, "--name " + message}; }

}  // namespace

std::string safe_part(std::string_view text) {
  std::string part;
  for (const char c : text) {
    const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    if (stays) {
      part += c;
    } else if (!part.empty() && part.back() != '-') {
      part += '-';
    }
  }
  return std::string(without_ends(part, "-"));
}

Result<NameTemplate> NameTemplate::parse(std::string_view text) {
  NameTemplate parsed;
  const auto literal = [&parsed](std::string_view piece) {
    if (parsed.pieces_.empty() || !parsed.pieces_.back().field.empty()) parsed.pieces_.emplace_back();
    parsed.pieces_.back().text += piece;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      literal(rest.substr(0, 1));
      at += 2;
      continue;
    }
    if (rest.front() == '}') return bad("has a \"}\" that closes nothing; a brace is written twice");
    if (rest.front() != '{') {
      literal(rest.substr(0, 1));
      ++at;
      continue;
    }
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) return bad("has a \"{\" that nothing closes");
    const std::string_view inside = rest.substr(1, end - 1);
    const std::size_t colon = inside.find(':');
    Piece piece{"", std::string(inside.substr(0, colon)), 0, 0};
    if (piece.field.empty()) return bad("has a {} without a field");
    if (colon != std::string_view::npos) {
      const std::string_view width = inside.substr(colon + 1);
      int number = 0;
      const auto [last, error] = std::from_chars(width.data(), width.data() + width.size(), number);
      if (error != std::errc() || last != width.data() + width.size() || number < 1 || number > 120)
        return bad("{" + std::string(inside) + "}: after the colon comes a number from 1 to 120");
      (width.front() == '0' ? piece.digits : piece.longest) = number;
    }
    parsed.pieces_.push_back(std::move(piece));
    at += end + 1;
  }
  const auto names_parent = [](std::string_view path) {
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      if (path.substr(begin, end - begin) == "..") return true;
      begin = end + 1;
    }
    return false;
  };
  if (text.empty()) return bad("must not be empty");
  if (text.front() == '/' || names_parent(text)) return bad("must stay below the folder of --out");
  return parsed;
}

bool NameTemplate::names(std::string_view field) const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [field](const Piece& piece) { return piece.field == field; });
}

std::vector<std::string> NameTemplate::fields() const {
  std::vector<std::string> all;
  for (const Piece& piece : pieces_) {
    if (!piece.field.empty()) all.push_back(piece.field);
  }
  return all;
}

std::string NameTemplate::expand(const FieldText& value) const {
  // A slash comes from the template alone: values have none left.
  std::vector<std::string> components(1);
  for (const Piece& piece : pieces_) {
    if (!piece.field.empty()) {
      std::string text = safe_part(value(piece.field).value_or(""));
      if (piece.longest > 0)
        text = without_ends(first_characters(text, static_cast<std::size_t>(piece.longest)), "-");
      const auto digits = static_cast<std::size_t>(piece.digits);
      if (text.size() < digits) text.insert(0, digits - text.size(), '0');
      components.back() += text;
      continue;
    }
    for (std::size_t begin = 0; begin <= piece.text.size();) {
      const std::size_t end = std::min(piece.text.find('/', begin), piece.text.size());
      if (begin > 0) components.emplace_back();
      for (const char c : std::string_view(piece.text).substr(begin, end - begin)) {
        const bool unsafe = static_cast<unsigned char>(c) < 0x20 ||
                            std::string_view("\\:*?\"<>|").find(c) != std::string_view::npos;
        components.back() += unsafe ? '-' : c;
      }
      begin = end + 1;
    }
  }
  std::string path;
  for (std::string& component : components) {
    // A dot at the front hides a file, one at the end is lost on some systems; both could make "..".
    std::string_view name =
        without_ends(first_bytes(without_ends(component, ". -"), kLongestComponent), ". ");
    if (name.empty()) name = "picture";
    path.append(path.empty() ? "" : "/").append(name);
  }
  return path;
}

std::string UniqueNames::next(const std::string& stem, std::string_view ending) {
  for (int number = 1;; ++number) {
    std::string name = stem;
    if (number > 1) name += "-" + std::to_string(number);
    name += ending;
    if (given_.contains(lower(name)) || taken_(name)) continue;
    given_.insert(lower(name));
    return name;
  }
}

}  // namespace waggle::cli::batch
