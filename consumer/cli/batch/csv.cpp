// One pass over the text, character by character.
#include "consumer/cli/batch/csv.h"

#include <algorithm>
#include <utility>

namespace waggle::cli::batch {

namespace {

class Parser {
 public:
  Parser(std::string_view text, char separator) : text_(text), separator_(separator) {}

  CsvFile parse() {
    while (at_ < text_.size() && file_.error.empty()) record();
    return std::move(file_);
  }

 private:
  [[nodiscard]] bool at_line_end() const { return text_[at_] == '\n' || text_[at_] == '\r'; }

  void pass_line_end() {
    at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
    ++line_;
  }

  void record() {
    CsvRecord record{line_, {}};
    for (;;) {
      record.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (!file_.error.empty()) return;
      if (at_ == text_.size() || text_[at_] != separator_) break;
      ++at_;
    }
    if (at_ < text_.size()) pass_line_end();
    if (record.cells.size() > 1 || !record.cells.front().empty()) file_.records.push_back(std::move(record));
  }

  std::string plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != separator_ && !at_line_end()) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    const int opened = line_;
    std::string cell;
    for (++at_; at_ < text_.size();) {
      if (text_[at_] == '"') {
        if (!text_.substr(at_).starts_with("\"\"")) {
          ++at_;
          if (at_ < text_.size() && text_[at_] != separator_ && !at_line_end())
            fail(line_, "text after the closing quote of a cell; a quote inside a cell is written twice");
          return cell;
        }
        cell += '"';
        at_ += 2;
      } else if (at_line_end()) {
        pass_line_end();
        cell += '\n';
      } else {
        cell += text_[at_++];
      }
    }
    fail(opened, "a quoted cell begins here and never ends");
    return cell;
  }

  void fail(int line, const char* message) {
    file_.error_line = line;
    file_.error = message;
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  int line_ = 1;
  CsvFile file_;
};

}  // namespace

CsvFile parse_csv(std::string_view text, char separator) { return Parser(text, separator).parse(); }

char guess_separator(std::string_view text) {
  const std::string_view first = text.substr(0, text.find_first_of("\r\n"));
  const auto count = [first](char c) { return std::count(first.begin(), first.end(), c); };
  if (count(',') > 0) return ',';
  return count('\t') > 0 ? '\t' : count(';') > 0 ? ';' : ',';
}

}  // namespace waggle::cli::batch
