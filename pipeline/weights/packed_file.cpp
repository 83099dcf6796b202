// Reading and writing packed weights.
#include "pipeline/weights/packed_file.h"

#include <atomic>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline/weights/blake2b.h"
#include "pipeline/weights/shallow_json.h"

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "wagglew1";
constexpr std::size_t kLengthAt = 8, kHashAt = 16, kTableAt = 80;
constexpr std::uint64_t kMostTable = 64 << 20, kAlignment = 64;

std::uint64_t aligned(std::uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

std::string hash_of(std::string_view bytes) {
  Blake2b hash;
  hash.add(bytes);
  return hash.finish();
}

std::optional<std::uint64_t> bytes_of(at::ScalarType type, const std::vector<std::int64_t>& sizes) {
  std::uint64_t bytes = c10::elementSize(type);
  for (const std::int64_t size : sizes)
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes))
      return std::nullopt;
  return bytes;
}

/// Head and table of a file with these weights; `total` gets its size.
std::string head_of(const std::vector<PackedWeight>& weights, std::string_view key, std::uint64_t& total) {
  // Offsets count from where the table ends, which is not known before it is written.
  auto list = nlohmann::json::array();
  std::uint64_t offset = 0;
  for (const auto& [weight, layout, values] : weights) {
    list.push_back({weight, layout, static_cast<int>(values.scalar_type()), values.sizes().vec(), offset});
    offset = aligned(offset + values.nbytes());
  }
  const std::string table = nlohmann::json{{"key", key}, {"bytes", offset}, {"weights", list}}.dump();
  std::string head(kMagic);
  for (int shift = 0; shift < 64; shift += 8) head += static_cast<char>(table.size() >> shift & 0xff);
  head += hash_of(table) + table;
  head.resize(aligned(head.size()), '\0');
  total = head.size() + offset;
  return head;
}

class Output {
 public:
  explicit Output(fs::path path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (file_ < 0) fail();
  }
  ~Output() {
    if (file_ >= 0) ::close(file_);
    if (!renamed_) ::unlink(path_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(const void* from, std::size_t bytes) {
    constexpr std::size_t kMostAtOnce = 64 << 20;
    const auto* next = static_cast<const char*>(from);
    while (bytes > 0) {
      const ssize_t written = ::write(file_, next, std::min(bytes, kMostAtOnce));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail();
      next += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }
  /// The bytes first: a power cut must not leave the name without them.
  void become(const fs::path& name) {
    if (::fsync(file_) != 0 || ::rename(path_.c_str(), name.c_str()) != 0) fail();
    renamed_ = true;
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(path_.string() + ": " + std::strerror(errno)); }
  fs::path path_;
  int file_;
  bool renamed_ = false;
};

}  // namespace

struct PackedFile::Mapping {
  const char* data = nullptr;
  std::uint64_t bytes = 0, weights_at = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data != nullptr) ::munmap(const_cast<char*>(data), bytes);
  }
};

std::optional<PackedFile> PackedFile::open(const fs::path& path, std::string_view key, std::string& why) {
  why.clear();
  const auto refused = [&](const char* reason) {
    why = reason;
    return std::nullopt;
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? std::nullopt : refused("cannot be opened");
  auto mapping = std::make_shared<Mapping>();
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > static_cast<off_t>(kTableAt)) {
    void* data = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_SHARED, fd, 0);
    if (data != MAP_FAILED) {
      mapping->data = static_cast<const char*>(data);
      mapping->bytes = static_cast<std::uint64_t>(info.st_size);
    }
  }
  ::close(fd);
  if (mapping->data == nullptr) return refused("is shorter than its head or cannot be mapped");
  const std::string_view file(mapping->data, mapping->bytes);
  if (!file.starts_with(kMagic)) return refused("is no file of packed weights of this version");
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(file[kLengthAt + i]);
  if (length > kMostTable || length > file.size() - kTableAt) return refused("is truncated in its table");
  const std::string_view table = file.substr(kTableAt, length);
  if (hash_of(table) != file.substr(kHashAt, kTableAt - kHashAt)) return refused("has a broken table");

  PackedFile opened;
  try {
    const auto json = parse_shallow_json(table);
    if (json.at("key").get_ref<const std::string&>() != key) return refused("is of other weights");
    mapping->weights_at = aligned(kTableAt + length);
    const auto bytes = json.at("bytes").get<std::uint64_t>();
    if (file.size() < mapping->weights_at || file.size() - mapping->weights_at != bytes)
      return refused("has not the size that its table says");
    for (const auto& row : json.at("weights")) {
      Entry entry{static_cast<at::ScalarType>(row.at(2).get<int>()),
                  row.at(3).get<std::vector<std::int64_t>>(), row.at(4).get<std::uint64_t>()};
      if (entry.type != at::kByte && entry.type != at::kFloat && entry.type != at::kBFloat16)
        return refused("holds an unknown type");
      const auto size = bytes_of(entry.type, entry.sizes);
      if (!size || entry.offset % kAlignment != 0 || entry.offset > bytes || *size > bytes - entry.offset)
        return refused("has a weight beyond its end");
      opened.entries_.emplace(Name(row.at(0), row.at(1)), std::move(entry));
    }
  } catch (const std::exception&) {
    return refused("has a table of another form");
  }
  ::madvise(const_cast<char*>(mapping->data), mapping->bytes, MADV_WILLNEED);
  opened.mapping_ = std::move(mapping);
  return opened;
}

at::Tensor PackedFile::find(const std::string& weight, const ops::WeightForm& form) const {
  const auto found = entries_.find(Name(weight, form.layout));
  if (found == entries_.end() || found->second.type != form.type || found->second.sizes != form.sizes)
    return {};
  const char* bytes = mapping_->data + mapping_->weights_at + found->second.offset;
  return at::from_blob(
      const_cast<char*>(bytes), form.sizes, [mapping = mapping_](void*) {},
      at::TensorOptions().dtype(form.type));
}

void PackedFile::read() const {
#if defined(MADV_POPULATE_READ)
  ::madvise(const_cast<char*>(mapping_->data), mapping_->bytes, MADV_POPULATE_READ);
#endif
}

std::int64_t packed_file_bytes(const std::vector<PackedWeight>& weights, std::string_view key) {
  std::uint64_t total = 0;
  head_of(weights, key, total);
  return static_cast<std::int64_t>(total);
}

void write_packed_file(const fs::path& path, std::string_view key, const std::vector<PackedWeight>& weights) {
  static std::atomic<int> count = 0;
  Output out(path.parent_path() / (path.stem().string() + '.' + std::to_string(::getpid()) + '-' +
                                   std::to_string(++count) + ".part"));
  std::uint64_t total = 0;
  const std::string head = head_of(weights, key, total);
  out.write(head.data(), head.size());
  constexpr char kZeros[kAlignment] = {};
  for (const PackedWeight& weight : weights) {
    const std::uint64_t bytes = weight.values.nbytes();
    out.write(weight.values.data_ptr(), bytes);
    out.write(kZeros, aligned(bytes) - bytes);
  }
  out.become(path);
}

}  // namespace waggle::pipeline
