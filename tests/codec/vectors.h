// Test vectors: the files of schemas/vectors, read and written, and the codec called by the name of a message
// kind.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/codec/samples.h"

namespace waggle::codec::test {

/// A vector file: {"kind", "name", "json", "msgpack_hex"}. Statuses travel inside replies only: no
/// MessagePack alone.
struct Vector {
  std::string kind;
  std::string name;
  std::string json;     ///< compact text
  std::string msgpack;  ///< bytes; empty when the kind has none
};

std::string_view kind(const AnyMessage& message);

std::string encode_json(const AnyMessage& message);
/// Empty for a kind without MessagePack.
std::string encode_msgpack(const AnyMessage& message);

Result<AnyMessage> decode_json(std::string_view kind, std::string_view text);
Result<AnyMessage> decode_msgpack(std::string_view kind, std::string_view bytes);

/// Every kind that has MessagePack of its own.
const std::vector<std::string_view>& msgpack_kinds();

Vector vector_of(const Sample& sample);
std::filesystem::path file_of(const Vector& vector);
std::string text_of(const Vector& vector);
/// Throws when the file is not a vector.
Vector read_vector(const std::filesystem::path& file);
/// All of schemas/vectors, by name.
std::vector<Vector> stored_vectors();

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view hex);

}  // namespace waggle::codec::test
