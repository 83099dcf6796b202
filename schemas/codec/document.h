// A message without its notation: the tree that MessagePack and JSON are both read into and written from.
//
// Knows nothing of jobs or events (fields.h does) and nothing of bytes (msgpack_bytes.h, json_text.h do).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace waggle::codec {

struct Document;
struct Member;

/// Binary data: MessagePack bin; base64 text in JSON.
struct Bytes {
  std::string value;
};
using Array = std::vector<Document>;
using Object = std::vector<Member>;  ///< in order of appearance; keys are unique

/// Integers above 2^63 - 1 are read as the nearest double: no field of the protocol goes that far.
struct Document {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Bytes, Array, Object>
      value;  ///< at first null

  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&value);
  }
  [[nodiscard]] bool is_null() const noexcept { return value.index() == 0; }
};

struct Member {
  std::string key;
  Document value;
};

/// The member of that name, or nullptr.
const Document* find(const Object& object, std::string_view key) noexcept;

/// "a string", "an object", ...: for error messages.
std::string_view kind(const Document& document) noexcept;

}  // namespace waggle::codec
