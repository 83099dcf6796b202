// Drives nlohmann's iterative parser with a SAX handler; writes by hand, for order and shortest numbers.
#include "schemas/codec/json_text.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "schemas/codec/base64.h"
#include "schemas/codec/document_builder.h"
#include "schemas/limits.h"

namespace waggle::codec {

namespace {

using nlohmann::json;

// The names and parameters are nlohmann's.
class Handler : public nlohmann::json_sax<json> {
 public:
  DocumentBuilder builder;

  bool null() override { return builder.scalar(Document{nullptr}); }
  bool boolean(bool value) override { return builder.scalar(Document{value}); }
  bool number_integer(number_integer_t value) override { return builder.scalar(Document{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value > kLargest) return builder.scalar(Document{static_cast<double>(value)});
    return builder.scalar(Document{static_cast<std::int64_t>(value)});
  }
  bool number_float(number_float_t value, const string_t&) override {
    return builder.scalar(Document{value});
  }
  bool string(string_t& value) override { return builder.scalar(Document{std::move(value)}); }
  bool binary(binary_t&) override {
    return builder.fail(ErrorCode::malformed_message, "binary data in JSON");
  }
  bool start_object(std::size_t) override { return builder.begin_object(0); }
  bool key(string_t& value) override { return builder.key(std::move(value)); }
  bool end_object() override { return builder.end(); }
  bool start_array(std::size_t) override { return builder.begin_array(0); }
  bool end_array() override { return builder.end(); }
  // The parser's own message quotes the input, which may be a prompt; the position is enough to find the
  // mistake.
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return builder.fail(ErrorCode::malformed_message, "not JSON at byte " + std::to_string(position));
  }
};

struct Write {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(double value) const {
    if (!std::isfinite(value)) return (*this)(nullptr);
    char buffer[32];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  }
  void operator()(const std::string& text) const {
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  void operator()(const Bytes& bytes) const { out += '"' + base64_encode(bytes.value) + '"'; }
  void operator()(const Array& array) const {
    out += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out += ',';
      std::visit(*this, array[i].value);
    }
    out += ']';
  }
  void operator()(const Object& object) const {
    out += '{';
    for (std::size_t i = 0; i < object.size(); ++i) {
      if (i > 0) out += ',';
      (*this)(object[i].key);
      out += ':';
      std::visit(*this, object[i].value.value);
    }
    out += '}';
  }
};

}  // namespace

Result<Document> parse_json(std::string_view text) {
  if (text.size() > limits::kMaxBodyBytes) {
    return Error{ErrorCode::payload_too_large,
                 "a body may have " + std::to_string(limits::kMaxBodyBytes) + " bytes, this one has " +
                     std::to_string(text.size()),
                 {},
                 std::nullopt};
  }
  Handler handler;
  json::sax_parse(text.begin(), text.end(), &handler);
  return std::move(handler.builder).take();
}

std::string write_json(const Document& document) {
  std::string text;
  std::visit(Write{text}, document.value);
  return text;
}

}  // namespace waggle::codec
