// vocab.json: see pipeline/text/token_ids.h.
#include "pipeline/text/token_ids.h"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

namespace waggle::pipeline {
namespace {

constexpr std::uintmax_t kMaxFileBytes = 32u << 20;
constexpr std::int64_t kMaxId = 1 << 20;
constexpr std::size_t kMaxTokenBytes = 1024;

// Counts lines for the parser's callbacks, which are not told where they are.
struct LineCounter {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  std::size_t* line = nullptr;

  reference operator*() const { return *at; }
  LineCounter& operator++() {
    if (*at == '\n') ++*line;
    ++at;
    return *this;
  }
  bool operator==(const LineCounter& other) const { return at == other.at; }
  bool operator!=(const LineCounter& other) const { return at != other.at; }
};

// Takes {"token": id, ...} and stops at anything else. Never builds a document, so memory is what it keeps.
class TokenIdReader : public nlohmann::json::json_sax_t {
 public:
  TokenIds ids;
  std::string problem;

  bool null() override { return refuse("null is not an id"); }
  bool boolean(bool) override { return refuse("a boolean is not an id"); }
  bool number_integer(number_integer_t) override { return refuse("an id is negative"); }
  bool number_float(number_float_t, const string_t&) override { return refuse("an id is no whole number"); }
  bool string(string_t&) override { return refuse("a string is not an id"); }
  bool binary(binary_t&) override { return refuse("binary data is not an id"); }
  bool start_array(std::size_t) override { return refuse("an array is not an id"); }
  bool end_array() override { return true; }
  bool end_object() override { return true; }

  bool start_object(std::size_t) override {
    if (inside_) return refuse("an object is not an id");
    inside_ = true;
    return true;
  }
  bool key(string_t& token) override {
    if (token.size() > kMaxTokenBytes) return refuse("a token is longer than 1024 bytes");
    token_ = std::move(token);
    return true;
  }
  bool number_unsigned(number_unsigned_t id) override {
    if (!inside_) return refuse("must be an object");
    if (id > static_cast<number_unsigned_t>(kMaxId))
      return refuse("an id is above " + std::to_string(kMaxId));
    if (!used_.insert(static_cast<std::int32_t>(id)).second) {
      return refuse("id " + std::to_string(id) + " belongs to two tokens");
    }
    if (!ids.emplace(std::move(token_), static_cast<std::int32_t>(id)).second)
      return refuse("a token occurs twice");
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return refuse("is not well-formed JSON");
  }

 private:
  bool refuse(std::string why) {
    problem = std::move(why);
    return false;
  }

  bool inside_ = false;
  std::string token_;
  std::unordered_set<std::int32_t> used_;
};

}  // namespace

Error load_error(const std::filesystem::path& file, std::size_t line, std::string_view problem) {
  std::string message = (file.parent_path().filename() / file.filename()).string();
  if (line > 0) message += ", line " + std::to_string(line);
  return {.code = ErrorCode::model_load_failed, .message = message + ": " + std::string(problem)};
}

Result<std::string> read_small_file(const std::filesystem::path& file) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(file, failure);
  if (failure) return load_error(file, 0, failure.message());
  if (size > kMaxFileBytes) return load_error(file, 0, "has more than 32 MiB, which no tokenizer file needs");
  std::ifstream in(file, std::ios::binary);
  std::string content(static_cast<std::size_t>(size), '\0');
  in.read(content.data(), static_cast<std::streamsize>(size));
  if (!in) return load_error(file, 0, "could not be read to its end");
  return content;
}

Result<TokenIds> read_token_ids(const std::filesystem::path& file) {
  Result<std::string> content = read_small_file(file);
  if (!content) return std::move(content).error();
  std::string_view text = *content;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t line = 1;
  TokenIdReader reader;
  const LineCounter begin{text.data(), &line}, end{text.data() + text.size(), &line};
  if (!nlohmann::json::sax_parse(begin, end, &reader)) return load_error(file, line, reader.problem);
  return std::move(reader.ids);
}

}  // namespace waggle::pipeline
