// The three readers.
#include "consumer/cli/batch/reader.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "consumer/cli/batch/csv.h"
#include "consumer/cli/batch/job_fields.h"
#include "consumer/cli/batch/prompt_line.h"
#include "schemas/codec/json_text.h"
#include "schemas/validate.h"

namespace waggle::cli::batch {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

/// Calls with each line that is not blank, trimmed, and its number.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  int number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const auto line = trimmed(text.substr(at, end - at)); !line.empty()) visit(line, number);
    at = end + 1;
  }
}

Entries read_json_lines(std::string_view text) {
  Entries read;
  each_line(text, [&read](std::string_view line, int number) {
    auto document = codec::parse_json(line);
    if (!document) {
      read.errors.push_back({number, "", document.error().message});
      return;
    }
    const auto* object = document->get_if<codec::Object>();
    if (object == nullptr) {
      read.errors.push_back(
          {number, "", "must be an object with a job's fields, is " + std::string(codec::kind(*document))});
      return;
    }
    Entry entry{number, {}};
    for (const codec::Member& member : *object) {
      if (auto set_field = set(entry.fields, member.key, member.value); !set_field)
        read.errors.push_back({number, "/" + member.key, set_field.error().message});
    }
    read.entries.push_back(std::move(entry));
  });
  return read;
}

void read_record(Entries& read, const CsvRecord& headings, const CsvRecord& record) {
  if (record.cells.size() > headings.cells.size()) {
    read.errors.push_back({record.line, "",
                           "has " + std::to_string(record.cells.size()) + " cells, the headings " +
                               std::to_string(headings.cells.size())});
    return;
  }
  Entry entry{record.line, {}};
  for (std::size_t i = 0; i < record.cells.size(); ++i) {
    // An empty cell is a field that was not said: spreadsheets cannot leave one out.
    if (trimmed(record.cells[i]).empty()) continue;
    const std::string_view name = trimmed(headings.cells[i]);
    if (auto set_field = set_from_text(entry.fields, name, record.cells[i]); !set_field)
      read.errors.push_back({record.line, "/" + std::string(name), set_field.error().message});
  }
  if (!entry.fields.empty()) read.entries.push_back(std::move(entry));
}

Entries read_table(std::string_view text) {
  Entries read;
  const CsvFile file = parse_csv(text, guess_separator(text));
  if (!file.error.empty()) read.errors.push_back({file.error_line, "", file.error});
  if (file.records.empty()) return read;
  const CsvRecord& headings = file.records.front();
  bool prompt = false;
  for (std::size_t i = 0; i < headings.cells.size(); ++i) {
    const std::string_view name = trimmed(headings.cells[i]);
    prompt = prompt || name == "prompt";
    if (name.empty())
      read.errors.push_back({headings.line, "", "column " + std::to_string(i + 1) + " has no heading"});
  }
  if (!prompt) {
    read.errors.push_back(
        {headings.line, "", "the first line must hold the headings, one of them \"prompt\""});
    return read;
  }
  for (std::size_t i = 1; i < file.records.size(); ++i) read_record(read, headings, file.records[i]);
  return read;
}

Entries read_prompts(std::string_view text) {
  Entries read;
  each_line(text, [&read](std::string_view line, int number) {
    if (line.starts_with('#')) return;
    PromptLine parsed = parse_prompt_line(line);
    for (std::string& error : parsed.errors) read.errors.push_back({number, "", std::move(error)});
    for (std::string& note : parsed.notes) read.notes.push_back({number, "", std::move(note)});
    read.entries.push_back({number, std::move(parsed.fields)});
  });
  return read;
}

}  // namespace

std::string to_string(const Remark& remark, const std::string& file) {
  std::string text = file;
  if (remark.line > 0) text += ":" + std::to_string(remark.line);
  if (!remark.path.empty()) text += ": " + remark.path;
  return text + ": " + remark.message;
}

std::optional<Form> form_from_name(std::string_view name) noexcept {
  if (name == "jsonl") return Form::jsonl;
  if (name == "csv") return Form::csv;
  if (name == "text") return Form::text;
  return std::nullopt;
}

Form guess_form(const std::filesystem::path& file, std::string_view text) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (ending == ".jsonl" || ending == ".ndjson" || ending == ".json") return Form::jsonl;
  if (ending == ".csv" || ending == ".tsv") return Form::csv;
  if (ending == ".txt") return Form::text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  // "{red|green} fox" is a prompt with a choice in it, no object.
  const std::size_t brace = text.find_first_not_of(" \t\r\n");
  if (brace == std::string_view::npos || text[brace] != '{') return Form::text;
  const std::size_t next = text.find_first_not_of(" \t\r\n", brace + 1);
  return next != std::string_view::npos && (text[next] == '"' || text[next] == '}') ? Form::jsonl
                                                                                    : Form::text;
}

Entries read_entries(std::string_view text, Form form) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Entries broken;
  each_line(text, [&broken](std::string_view line, int number) {
    if (!is_valid_utf8(line)) broken.errors.push_back({number, "", "is not UTF-8 text"});
  });
  if (!broken.errors.empty()) return broken;
  switch (form) {
    case Form::jsonl:
      return read_json_lines(text);
    case Form::csv:
      return read_table(text);
    case Form::text:
      return read_prompts(text);
  }
  return {};
}

}  // namespace waggle::cli::batch
