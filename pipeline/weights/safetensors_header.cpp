// Reading a safetensors header with every length checked.
#include "pipeline/weights/safetensors_header.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 32u << 20;

std::optional<StoredType> stored_type(std::string_view name) {
  static constexpr std::pair<std::string_view, StoredType> kTypes[] = {
      {"F64", StoredType::f64},      {"F32", StoredType::f32}, {"F16", StoredType::f16},
      {"BF16", StoredType::bf16},    {"I64", StoredType::i64}, {"I32", StoredType::i32},
      {"I16", StoredType::i16},      {"I8", StoredType::i8},   {"U8", StoredType::u8},
      {"BOOL", StoredType::boolean},
  };
  for (const auto& [text, type] : kTypes)
    if (text == name) return type;
  return std::nullopt;
}

/// Bytes that a shape needs, or nothing when the product overflows.
std::optional<std::uint64_t> bytes_needed(const std::vector<std::int64_t>& shape, StoredType type) {
  std::uint64_t total = bytes_of(type);
  for (const std::int64_t side : shape)
    if (__builtin_mul_overflow(total, static_cast<std::uint64_t>(side), &total)) return std::nullopt;
  return total;
}

Result<TensorEntry> parse_entry(const nlohmann::json& json, std::uint64_t data_begin,
                                std::uint64_t data_bytes) {
  const auto fail = [](const char* what) { return Error{ErrorCode::model_load_failed, what}; };
  if (!json.is_object()) return fail("its entry is not an object");
  const auto dtype = json.find("dtype"), shape = json.find("shape"), offsets = json.find("data_offsets");
  if (dtype == json.end() || !dtype->is_string()) return fail("dtype is missing or no string");
  if (shape == json.end() || !shape->is_array()) return fail("shape is missing or no array");
  if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2)
    return fail("data_offsets is missing or not two numbers");

  TensorEntry entry;
  const auto type = stored_type(dtype->get_ref<const std::string&>());
  if (!type) return fail("dtype is unknown");
  entry.type = *type;
  if (shape->size() > 8) return fail("shape has more than 8 dimensions");
  for (const auto& side : *shape) {
    if (!side.is_number_unsigned() || side.get<std::uint64_t>() > INT64_MAX)
      return fail("shape has a bad dimension");
    entry.shape.push_back(side.get<std::int64_t>());
  }
  if (!(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned())
    return fail("data_offsets are no unsigned numbers");
  const auto begin = (*offsets)[0].get<std::uint64_t>(), end = (*offsets)[1].get<std::uint64_t>();
  if (begin > end || end > data_bytes) return fail("data_offsets are outside the file (truncated?)");
  const auto needed = bytes_needed(entry.shape, entry.type);
  if (!needed || *needed != end - begin) return fail("data_offsets do not fit shape and dtype");
  entry.begin = data_begin + begin;
  entry.end = data_begin + end;
  return entry;
}

/// Tensors in the order of their bytes touch each other, from the header to the end of the file.
Status check_places(const TensorEntries& entries, std::uint64_t data_begin, std::uint64_t file_bytes) {
  const auto fail = [](std::string what) { return Error{ErrorCode::model_load_failed, std::move(what)}; };
  std::vector<std::pair<std::string_view, const TensorEntry*>> by_place;
  for (const auto& [name, entry] : entries) by_place.emplace_back(name, &entry);
  std::sort(by_place.begin(), by_place.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second->begin, a.second->end) < std::tie(b.second->begin, b.second->end);
  });
  std::uint64_t expected = data_begin;
  for (const auto& [name, entry] : by_place) {
    if (entry->begin != expected)
      return fail("tensor '" + std::string(name.substr(0, 200)) + "' at offset " +
                  std::to_string(entry->begin) + " overlaps its neighbour or leaves a hole");
    expected = entry->end;
  }
  if (expected != file_bytes)
    return fail("holds " + std::to_string(file_bytes - expected) + " bytes after its last tensor");
  return Done{};
}

}  // namespace

std::size_t bytes_of(StoredType type) noexcept {
  switch (type) {
    case StoredType::f64:
    case StoredType::i64:
      return 8;
    case StoredType::f32:
    case StoredType::i32:
      return 4;
    case StoredType::f16:
    case StoredType::bf16:
    case StoredType::i16:
      return 2;
    case StoredType::i8:
    case StoredType::u8:
    case StoredType::boolean:
      break;
  }
  return 1;
}

Result<TensorEntries> parse_safetensors_header(std::string_view file, const std::string& name) {
  const auto broken = [&name](const std::string& what) {
    return Error{ErrorCode::model_load_failed, name + ": " + what};
  };
  if (file.size() < kLengthBytes) return broken("is shorter than a header");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kLengthBytes);  // little endian, as every platform libtorch runs on
  if (header_bytes > kMaxHeaderBytes)
    return broken("the header claims " + std::to_string(header_bytes) + " bytes, more than the allowed " +
                  std::to_string(kMaxHeaderBytes));
  if (header_bytes > file.size() - kLengthBytes)
    return broken("the header claims " + std::to_string(header_bytes) + " bytes, the file has " +
                  std::to_string(file.size()));
  const std::uint64_t data_begin = kLengthBytes + header_bytes;

  const auto header = parse_shallow_json(file.substr(kLengthBytes, header_bytes));
  if (!header.is_object()) return broken("the header is not a JSON object");
  TensorEntries entries;
  for (const auto& [tensor, json] : header.items()) {
    if (tensor == "__metadata__") continue;
    auto entry = parse_entry(json, data_begin, file.size() - data_begin);
    if (!entry)
      return broken("tensor '" + tensor.substr(0, 200) + "' at offset " + std::to_string(data_begin) +
                    "+: " + entry.error().message);
    entries.emplace(tensor, std::move(*entry));
  }
  if (auto placed = check_places(entries, data_begin, file.size()); !placed)
    return broken(placed.error().message);
  return entries;
}

}  // namespace waggle::pipeline
