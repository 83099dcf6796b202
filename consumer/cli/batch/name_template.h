// Names of picture files by a template such as "{index:05}-{seed}-{prompt:40}". Names are safe on any file
// system, stay below their folder, and no two of a run are the same.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace waggle::cli::batch {

/// What a field of a template stands for; nothing for a field that does not exist.
using FieldText = std::function<std::optional<std::string>(std::string_view field)>;

class NameTemplate {
 public:
  /// "{field}", "{field:05}" (at least so many digits), "{field:40}" (at most so many characters); "{{" and
  /// "}}" are braces; "/" begins a sub-folder. Errors: invalid_request (an open brace, an absolute path,
  /// "..").
  static Result<NameTemplate> parse(std::string_view text);

  [[nodiscard]] bool names(std::string_view field) const;
  /// Every field that is named.
  [[nodiscard]] std::vector<std::string> fields() const;
  /// The relative path without an ending. Never empty, at most 150 bytes a component.
  [[nodiscard]] std::string expand(const FieldText& value) const;

 private:
  struct Piece {
    std::string text;  ///< as it is, when `field` is empty
    std::string field;
    int digits = 0;   ///< padded with zeros
    int longest = 0;  ///< characters, 0: as long as it is
  };
  std::vector<Piece> pieces_;
};

/// Text as a part of a file's name: letters of any language, digits, '.', '_' and '-' stay; everything else
/// becomes '-', several of which become one.
std::string safe_part(std::string_view text);

/// Hands out names of which no two are the same, also where upper and lower case are.
class UniqueNames {
 public:
  /// `taken` says whether a file of that name is there already.
  explicit UniqueNames(std::function<bool(const std::string&)> taken) : taken_(std::move(taken)) {}
  /// `stem` and `ending`, with "-2", "-3", ... between them when needed.
  std::string next(const std::string& stem, std::string_view ending);

 private:
  std::function<bool(const std::string&)> taken_;
  std::set<std::string> given_;  ///< in lower case
};

}  // namespace waggle::cli::batch
