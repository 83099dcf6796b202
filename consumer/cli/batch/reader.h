// A batch file as entries: JSON lines, a table with headings, or a prompt a line. Says everything that is
// wrong with its form, not the first thing; what the fields may hold is checked later.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "consumer/cli/batch/entry.h"

namespace waggle::cli::batch {

enum class Form { jsonl, csv, text };
std::optional<Form> form_from_name(std::string_view name) noexcept;  ///< "jsonl", "csv", "text"

/// By the file's ending; for standard input and other endings by its first character.
Form guess_form(const std::filesystem::path& file, std::string_view text);

/// A byte order mark is passed over; bytes that are not UTF-8 are an error of their line.
Entries read_entries(std::string_view text, Form form);

}  // namespace waggle::cli::batch
