// Reading a safetensors header with every length checked, and tensors over the mapped bytes.
#include "pipeline/weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waggle::pipeline {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 32u << 20;

Error broken(const std::filesystem::path& path, const std::string& what) {
  return Error{ErrorCode::model_load_failed, path.filename().string() + ": " + what};
}

std::optional<at::ScalarType> scalar_type(std::string_view name) {
  static constexpr std::pair<std::string_view, at::ScalarType> kTypes[] = {
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
      {"U8", at::kByte},    {"BOOL", at::kBool},
  };
  for (const auto& [text, type] : kTypes)
    if (text == name) return type;
  return std::nullopt;
}

/// Bytes that a shape needs, or nothing when the product overflows.
std::optional<std::uint64_t> bytes_of(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  std::uint64_t total = c10::elementSize(type);
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
  const auto type = scalar_type(dtype->get_ref<const std::string&>());
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
  const auto needed = bytes_of(entry.shape, entry.type);
  if (!needed || *needed != end - begin) return fail("data_offsets do not fit shape and dtype");
  entry.begin = data_begin + begin;
  entry.end = data_begin + end;
  return entry;
}

}  // namespace

struct SafetensorsFile::Mapping {
  const char* data = nullptr;
  std::uint64_t bytes = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data != nullptr) ::munmap(const_cast<char*>(data), bytes);
  }
};

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return broken(path, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat info {};
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  auto mapping = std::make_shared<Mapping>();
  if (regular && info.st_size >= static_cast<off_t>(kLengthBytes)) {
    void* data = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) {
      mapping->data = static_cast<const char*>(data);
      mapping->bytes = static_cast<std::uint64_t>(info.st_size);
      ::madvise(data, mapping->bytes, MADV_WILLNEED);
    }
  }
  ::close(fd);
  if (!regular) return broken(path, "is no regular file");
  if (mapping->data == nullptr) return broken(path, "is shorter than a header or cannot be mapped");

  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, mapping->data,
              kLengthBytes);  // little endian, as every platform libtorch runs on
  if (header_bytes > kMaxHeaderBytes)
    return broken(path, "the header claims " + std::to_string(header_bytes) +
                            " bytes, more than the allowed " + std::to_string(kMaxHeaderBytes));
  if (header_bytes > mapping->bytes - kLengthBytes)
    return broken(path, "the header claims " + std::to_string(header_bytes) + " bytes, the file has " +
                            std::to_string(mapping->bytes));
  const std::uint64_t data_begin = kLengthBytes + header_bytes;
  const std::uint64_t data_bytes = mapping->bytes - data_begin;

  const char* text = mapping->data + kLengthBytes;
  const auto header = nlohmann::json::parse(text, text + header_bytes, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) return broken(path, "the header is not a JSON object");

  auto entries = std::make_shared<std::map<std::string, TensorEntry, std::less<>>>();
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") continue;
    auto entry = parse_entry(json, data_begin, data_bytes);
    if (!entry)
      return broken(path, "tensor '" + name.substr(0, 200) + "' at offset " + std::to_string(data_begin) +
                              "+: " + entry.error().message);
    entries->emplace(name, std::move(*entry));
  }

  std::vector<std::pair<std::string_view, const TensorEntry*>> by_place;
  for (const auto& [name, entry] : *entries) by_place.emplace_back(name, &entry);
  std::sort(by_place.begin(), by_place.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second->begin, a.second->end) < std::tie(b.second->begin, b.second->end);
  });
  std::uint64_t expected = data_begin;
  for (const auto& [name, entry] : by_place) {
    if (entry->begin != expected)
      return broken(path, "tensor '" + std::string(name.substr(0, 200)) + "' at offset " +
                              std::to_string(entry->begin) + " overlaps its neighbour or leaves a hole");
    expected = entry->end;
  }
  if (expected != mapping->bytes)
    return broken(path,
                  "holds " + std::to_string(mapping->bytes - expected) + " bytes after its last tensor");

  SafetensorsFile file;
  file.path_ = path;
  file.mapping_ = std::move(mapping);
  file.entries_ = std::move(entries);
  return file;
}

at::Tensor SafetensorsFile::tensor(std::string_view name) const {
  const auto found = entries_->find(name);
  if (found == entries_->end())
    throw std::out_of_range(path_.filename().string() + " has no tensor " + std::string(name));
  const TensorEntry& entry = found->second;
  const auto options = at::TensorOptions().dtype(entry.type);
  const char* data = mapping_->data + entry.begin;
  if (reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(entry.type) != 0) {
    // A writer that did not pad its header: the bytes cannot be used where they lie.
    at::Tensor copy = at::empty(entry.shape, options);
    if (entry.end > entry.begin) std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
    return copy;
  }
  return at::from_blob(
      const_cast<char*>(data), entry.shape, [mapping = mapping_](void*) {}, options);
}

std::uint64_t SafetensorsFile::bytes() const { return mapping_->bytes; }

}  // namespace waggle::pipeline
