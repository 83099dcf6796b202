// Drives msgpack-c's iterative parser with a visitor, so that nothing is allocated before the limits have
// been asked.
#include "schemas/codec/msgpack_bytes.h"

#include <exception>
#include <limits>

#include <msgpack.hpp>

#include "schemas/codec/document_builder.h"
#include "schemas/limits.h"

namespace waggle::codec {

namespace {

class Visitor : public msgpack::null_visitor {
 public:
  DocumentBuilder builder;

  bool visit_nil() { return scalar(Document{nullptr}); }
  bool visit_boolean(bool value) { return scalar(Document{value}); }
  bool visit_positive_integer(std::uint64_t value) {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value > kLargest) return scalar(Document{static_cast<double>(value)});
    return scalar(Document{static_cast<std::int64_t>(value)});
  }
  bool visit_negative_integer(std::int64_t value) { return scalar(Document{value}); }
  bool visit_float32(float value) { return scalar(Document{static_cast<double>(value)}); }
  bool visit_float64(double value) { return scalar(Document{value}); }
  bool visit_str(const char* data, std::uint32_t size) {
    if (in_key_) return builder.key(std::string(data, size));
    return builder.scalar(Document{std::string(data, size)});
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return scalar(Document{Bytes{std::string(data, size)}});
  }
  bool visit_ext(const char*, std::uint32_t) {
    return builder.fail(ErrorCode::malformed_message, "extension types are not part of the protocol");
  }
  bool start_array(std::uint32_t members) { return not_a_key() && builder.begin_array(members); }
  bool end_array() { return builder.end(); }
  bool start_map(std::uint32_t members) { return not_a_key() && builder.begin_object(members); }
  bool start_map_key() { return in_key_ = true; }
  bool end_map_key() {
    in_key_ = false;
    return true;
  }
  bool end_map() { return builder.end(); }
  void parse_error(std::size_t, std::size_t offset) {
    builder.fail(ErrorCode::malformed_message, "not MessagePack at byte " + std::to_string(offset));
  }
  void insufficient_bytes(std::size_t, std::size_t) {
    builder.fail(ErrorCode::malformed_message, "the message is truncated");
  }

 private:
  bool not_a_key() {
    return !in_key_ || builder.fail(ErrorCode::malformed_message, "a map key is not a string");
  }
  bool scalar(Document value) { return not_a_key() && builder.scalar(std::move(value)); }

  bool in_key_ = false;
};

struct Sink {
  std::string& bytes;
  void write(const char* data, std::size_t size) { bytes.append(data, size); }
};

using Packer = msgpack::packer<Sink>;

void pack(Packer& out, const Document& document);

struct Pack {
  Packer& out;

  void operator()(std::nullptr_t) const { out.pack_nil(); }
  void operator()(bool value) const { value ? out.pack_true() : out.pack_false(); }
  void operator()(std::int64_t value) const { out.pack_int64(value); }
  void operator()(double value) const { out.pack_double(value); }
  void operator()(const std::string& text) const {
    out.pack_str(static_cast<std::uint32_t>(text.size()));
    out.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
  }
  void operator()(const Bytes& bytes) const {
    out.pack_bin(static_cast<std::uint32_t>(bytes.value.size()));
    out.pack_bin_body(bytes.value.data(), static_cast<std::uint32_t>(bytes.value.size()));
  }
  void operator()(const Array& array) const {
    out.pack_array(static_cast<std::uint32_t>(array.size()));
    for (const Document& item : array) pack(out, item);
  }
  void operator()(const Object& object) const {
    out.pack_map(static_cast<std::uint32_t>(object.size()));
    for (const Member& member : object) {
      (*this)(member.key);
      pack(out, member.value);
    }
  }
};

void pack(Packer& out, const Document& document) { std::visit(Pack{out}, document.value); }

}  // namespace

Result<Document> parse_msgpack(std::string_view bytes) {
  if (bytes.size() > limits::kMaxMessageBytes) {
    return Error{ErrorCode::payload_too_large,
                 "a message may have " + std::to_string(limits::kMaxMessageBytes) + " bytes, this one has " +
                     std::to_string(bytes.size()),
                 {},
                 std::nullopt};
  }
  Visitor visitor;
  std::size_t offset = 0;
  try {
    if (msgpack::parse(bytes.data(), bytes.size(), offset, visitor) && offset != bytes.size()) {
      visitor.builder.fail(ErrorCode::malformed_message, "bytes after the end of the message");
    }
  } catch (const std::exception&) {  // msgpack-c throws for extension sizes that overflow
    visitor.builder.fail(ErrorCode::malformed_message, "not MessagePack");
  }
  return std::move(visitor.builder).take();
}

std::string write_msgpack(const Document& document) {
  std::string bytes;
  Sink sink{bytes};
  Packer packer(sink);
  pack(packer, document);
  return bytes;
}

}  // namespace waggle::codec
