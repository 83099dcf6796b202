// Mapping a safetensors file, and tensors over the mapped bytes.
#include "pipeline/weights/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace waggle::pipeline {
namespace {

Error broken(const std::filesystem::path& path, const std::string& what) {
  return Error{ErrorCode::model_load_failed, path.filename().string() + ": " + what};
}

at::ScalarType scalar_type(StoredType type) {
  switch (type) {
    case StoredType::f64:
      return at::kDouble;
    case StoredType::f32:
      return at::kFloat;
    case StoredType::f16:
      return at::kHalf;
    case StoredType::bf16:
      return at::kBFloat16;
    case StoredType::i64:
      return at::kLong;
    case StoredType::i32:
      return at::kInt;
    case StoredType::i16:
      return at::kShort;
    case StoredType::i8:
      return at::kChar;
    case StoredType::u8:
      return at::kByte;
    case StoredType::boolean:
      break;
  }
  return at::kBool;
}

}  // namespace

struct SafetensorsFile::Mapping {
  const char* data = nullptr;
  std::uint64_t bytes = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  /// What was converted needs no memory any longer; the page cache may still have it.
  static void let_go(void* begin, std::uint64_t bytes) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    const std::uintptr_t first = (address + page - 1) / page * page, last = (address + bytes) / page * page;
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }
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
  if (regular && info.st_size > 0) {
    void* data = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) {
      mapping->data = static_cast<const char*>(data);
      mapping->bytes = static_cast<std::uint64_t>(info.st_size);
    }
  }
  ::close(fd);
  if (!regular) return broken(path, "is no regular file");
  if (mapping->data == nullptr) return broken(path, "is shorter than a header or cannot be mapped");

  auto entries = parse_safetensors_header({mapping->data, mapping->bytes}, path.filename().string());
  if (!entries) return std::move(entries).error();
  SafetensorsFile file;
  file.path_ = path;
  file.mapping_ = std::move(mapping);
  file.entries_ = std::make_shared<const TensorEntries>(std::move(*entries));
  return file;
}

at::Tensor SafetensorsFile::tensor(std::string_view name) const {
  const auto found = entries_->find(name);
  if (found == entries_->end())
    throw std::out_of_range(path_.filename().string() + " has no tensor " + std::string(name));
  const TensorEntry& entry = found->second;
  const auto options = at::TensorOptions().dtype(scalar_type(entry.type));
  const char* data = mapping_->data + entry.begin;
  if (reinterpret_cast<std::uintptr_t>(data) % bytes_of(entry.type) != 0) {
    // A writer that did not pad its header: the bytes cannot be used where they lie.
    at::Tensor copy = at::empty(entry.shape, options);
    if (entry.end > entry.begin) std::memcpy(copy.data_ptr(), data, entry.end - entry.begin);
    return copy;
  }
  return at::from_blob(
      const_cast<char*>(data), entry.shape,
      [mapping = mapping_, bytes = entry.end - entry.begin](void* begin) { Mapping::let_go(begin, bytes); },
      options);
}

void SafetensorsFile::will_read(std::string_view prefix) const {
  std::uint64_t begin = mapping_->bytes, end = 0;
  for (const auto& [name, entry] : *entries_) {
    if (!name.starts_with(prefix)) continue;
    begin = std::min(begin, entry.begin);
    end = std::max(end, entry.end);
  }
  begin -= begin % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (begin < end) ::madvise(const_cast<char*>(mapping_->data) + begin, end - begin, MADV_WILLNEED);
}

std::uint64_t SafetensorsFile::bytes() const { return mapping_->bytes; }

}  // namespace waggle::pipeline
