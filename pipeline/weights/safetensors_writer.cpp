// A safetensors file: header in JSON, then the tensors' bytes in order of name.
#include "pipeline/weights/safetensors_writer.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <ATen/Functions.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace waggle::pipeline {
namespace {

const char* type_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    default:
      throw std::runtime_error("safetensors: a dtype that is not written");
  }
}

/// A file under a passing name, which goes away unless it is kept.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path target)
      : target_(std::move(target)), passing_(target_.string() + ".new") {
    descriptor_ = ::open(passing_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) fail();
  }
  ~NewFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(passing_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const void* data, std::size_t size) {
    for (const auto* at = static_cast<const char*>(data); size > 0;) {
      const ssize_t written = ::write(descriptor_, at, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail();
      at += written;
      size -= static_cast<std::size_t>(written);
    }
  }
  void keep() {
    if (::fsync(descriptor_) != 0) fail();
    ::close(std::exchange(descriptor_, -1));
    std::filesystem::rename(passing_, target_);
  }

 private:
  [[noreturn]] void fail() const {
    throw std::runtime_error("cannot write " + target_.string() + ": " +
                             std::generic_category().message(errno));
  }
  std::filesystem::path target_, passing_;
  int descriptor_ = -1;
};

}  // namespace

void write_safetensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", type_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {at, at + tensor.nbytes()}}};
    at += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();

  NewFile out(file);
  out.write(&length, sizeof length);  // little endian, as every platform libtorch runs on
  out.write(text.data(), text.size());
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.contiguous();
    out.write(plain.data_ptr(), plain.nbytes());
  }
  out.keep();
}

}  // namespace waggle::pipeline
