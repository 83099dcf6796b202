// Looking into a document.
#include "schemas/codec/document.h"

namespace waggle::codec {

const Document* find(const Object& object, std::string_view key) noexcept {
  for (const Member& member : object) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view kind(const Document& document) noexcept {
  struct Kind {
    std::string_view operator()(std::nullptr_t) const { return "null"; }
    std::string_view operator()(bool) const { return "a boolean"; }
    std::string_view operator()(std::int64_t) const { return "a number"; }
    std::string_view operator()(double) const { return "a number"; }
    std::string_view operator()(const std::string&) const { return "a string"; }
    std::string_view operator()(const Bytes&) const { return "binary data"; }
    std::string_view operator()(const Array&) const { return "an array"; }
    std::string_view operator()(const Object&) const { return "an object"; }
  };
  return std::visit(Kind{}, document.value);
}

}  // namespace waggle::codec
