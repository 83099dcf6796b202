// Words as a shell splits them, then flags by a table.
#include "consumer/cli/batch/prompt_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "consumer/cli/batch/job_fields.h"

namespace waggle::cli::batch {

namespace {

enum class Flag { field, words, count, ignored };

struct FlagRow {
  std::string_view name;
  Flag kind;
};
constexpr std::array kFlags{
    FlagRow{"prompt", Flag::words},
    FlagRow{"negative_prompt", Flag::words},
    FlagRow{"width", Flag::field},
    FlagRow{"height", Flag::field},
    FlagRow{"steps", Flag::field},
    FlagRow{"cfg_scale", Flag::field},
    FlagRow{"seed", Flag::field},
    FlagRow{"sampler_name", Flag::field},
    FlagRow{"scheduler", Flag::field},
    FlagRow{"sd_model", Flag::field},
    FlagRow{"denoising_strength", Flag::field},
    FlagRow{"batch_size", Flag::count},
    FlagRow{"n_iter", Flag::count},
    // About AUTOMATIC1111's own folders, or about what is not done here.
    FlagRow{"styles", Flag::ignored},
    FlagRow{"sampler_index", Flag::ignored},
    FlagRow{"subseed", Flag::ignored},
    FlagRow{"subseed_strength", Flag::ignored},
    FlagRow{"seed_resize_from_h", Flag::ignored},
    FlagRow{"seed_resize_from_w", Flag::ignored},
    FlagRow{"restore_faces", Flag::ignored},
    FlagRow{"tiling", Flag::ignored},
    FlagRow{"outpath_samples", Flag::ignored},
    FlagRow{"outpath_grids", Flag::ignored},
    FlagRow{"prompt_for_display", Flag::ignored},
    FlagRow{"do_not_save_samples", Flag::ignored},
    FlagRow{"do_not_save_grid", Flag::ignored},
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool begins_flag(std::string_view text) {
  return text.size() > 2 && text.starts_with("--") && is_letter(text[2]);
}

/// Where the first flag begins, or npos.
std::size_t first_flag(std::string_view line) {
  for (std::size_t at = line.find("--"); at != std::string_view::npos; at = line.find("--", at + 1)) {
    const bool after_blank = at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t';
    if (after_blank && begins_flag(line.substr(at))) return at;
  }
  return std::string_view::npos;
}

struct Word {
  std::string text;
  bool quoted = false;  ///< then it is no flag, whatever it begins with
};

/// Nothing when a quote has no end. Only double quotes know escapes, as in a shell.
std::optional<std::vector<Word>> split(std::string_view text) {
  std::vector<Word> words;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t') {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    // Within a word a single quote is an apostrophe: a fox's tail.
    const bool opens = c == '"' || (c == '\'' && !inside);
    inside = true;
    if (!opens) {
      words.back().text += c;
      continue;
    }
    words.back().quoted = true;
    for (++i; i < text.size() && text[i] != c; ++i) {
      if (c == '"' && text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\'))
        ++i;
      words.back().text += text[i];
    }
    if (i == text.size()) return std::nullopt;
  }
  return words;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

class Reader {
 public:
  explicit Reader(std::vector<Word> words) : words_(std::move(words)) {}

  void read(PromptLine& line) {
    while (at_ < words_.size()) {
      const std::string name = words_[at_++].text.substr(2);
      const auto* row = std::find_if(kFlags.begin(), kFlags.end(),
                                     [&name](const FlagRow& flag) { return flag.name == name; });
      if (row == kFlags.end()) {
        line.errors.push_back("--" + name + " is no flag of a line of prompts; a prompt that holds \"--\" " +
                              "can be given as JSON");
        values();
        continue;
      }
      take(line, *row);
    }
    if (images_) field(line.fields, "n") = {*images_};
  }

 private:
  /// All words up to the next flag.
  std::vector<std::string> values() {
    std::vector<std::string> found;
    while (at_ < words_.size() && (words_[at_].quoted || !begins_flag(words_[at_].text)))
      found.push_back(words_[at_++].text);
    return found;
  }

  void take(PromptLine& line, const FlagRow& row) {
    const std::vector<std::string> found = values();
    const std::string flag = "--" + std::string(row.name);
    if (row.kind == Flag::ignored) {
      line.notes.push_back(flag + " is ignored");
    } else if (found.empty()) {
      line.errors.push_back(flag + " needs a value");
    } else if (row.kind == Flag::words) {
      std::string words;
      for (const std::string& word : found) words.append(words.empty() ? "" : " ").append(word);
      field(line.fields, row.name) = {std::move(words)};
    } else if (found.size() > 1 && row.name != "sampler_name") {
      line.errors.push_back(flag + " takes one value; put several words in quotes");
    } else if (row.kind == Flag::count) {
      count(line, flag, found.front());
    } else {
      std::string value;  // "--sampler_name DPM++ 2M Karras" needs no quotes
      for (const std::string& word : found) value.append(value.empty() ? "" : " ").append(word);
      if (auto set = set_from_text(line.fields, row.name, value); !set)
        line.errors.push_back(flag + " " + set.error().message);
    }
  }

  /// Batches times their size are the images of a job; the bounds are checked with all other fields.
  void count(PromptLine& line, const std::string& flag, const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 10'000) {
      line.errors.push_back(flag + " must be a number of images, is \"" + text + "\"");
      return;
    }
    images_ = images_.value_or(1) * value;
  }

  std::vector<Word> words_;
  std::size_t at_ = 0;
  std::optional<std::int64_t> images_;
};

}  // namespace

PromptLine parse_prompt_line(std::string_view line) {
  PromptLine parsed;
  const std::size_t flags = first_flag(line);
  const std::string_view words = trimmed(line.substr(0, flags));
  if (!words.empty()) field(parsed.fields, "prompt") = {std::string(words)};
  if (flags == std::string_view::npos) return parsed;
  auto split_words = split(line.substr(flags));
  if (!split_words) {
    parsed.errors.emplace_back("a quote has no end");
    return parsed;
  }
  Reader(std::move(*split_words)).read(parsed);
  return parsed;
}

}  // namespace waggle::cli::batch
