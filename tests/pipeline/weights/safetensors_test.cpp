// Safetensors files as a hostile or careless writer makes them.
#include "pipeline/weights/safetensors.h"

#include <cstring>
#include <fstream>
#include <random>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>
#include <unistd.h>

using waggle::ErrorCode;
using waggle::pipeline::SafetensorsFile;

namespace {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(std::filesystem::temp_directory_path() /
              ("waggle-" + std::to_string(::getpid()) + ".safetensors")) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string with_header(const std::string& header, std::size_t data_bytes, std::uint64_t claimed = 0) {
  std::uint64_t length = claimed == 0 ? header.size() : claimed;
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string error_of(const std::string& bytes) {
  const TemporaryFile file(bytes);
  const auto opened = SafetensorsFile::open(file.path());
  if (opened) return "";
  CHECK(opened.error().code == ErrorCode::model_load_failed);
  return opened.error().message;
}

const std::string kGood =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]},"c":{"dtype":"I64","shape":[0,7],"data_offsets":[26,26]}})";

}  // namespace

TEST_CASE("safetensors: tensors have the dtype, shape and bytes of the file") {
  std::string bytes = with_header(kGood, 26);
  const float values[6] = {0, 1, 2, 3, 4, 5};
  std::memcpy(bytes.data() + 8 + kGood.size(), values, 24);
  const TemporaryFile file(bytes);
  auto opened = SafetensorsFile::open(file.path());
  REQUIRE(opened);
  const at::Tensor a = opened->tensor("a");
  CHECK(a.sizes() == at::IntArrayRef({2, 3}));
  CHECK(at::equal(a, at::arange(6, at::kFloat).view({2, 3})));
  CHECK(opened->tensor("b").scalar_type() == at::kBFloat16);
  CHECK(opened->tensor("c").numel() == 0);
  CHECK(opened->entries().size() == 3);
  CHECK_FALSE(opened->contains("__metadata__"));
  CHECK_THROWS_AS(opened->tensor("d"), std::out_of_range);
}

TEST_CASE("safetensors: a tensor outlives the file object") {
  at::Tensor a;
  {
    const TemporaryFile file(with_header(kGood, 26));
    a = SafetensorsFile::open(file.path())->tensor("a");
  }
  CHECK(a.sum().item<float>() != 0.0F);
}

TEST_CASE("safetensors: a header that claims 2^63 bytes is refused with the number") {
  CHECK(error_of(with_header("{}", 0, std::uint64_t{1} << 63)).find("9223372036854775808") !=
        std::string::npos);
}

TEST_CASE("safetensors: what is wrong is said, with the tensor") {
  struct Bad {
    const char* header;
    std::size_t data;
    const char* says;
  };
  const Bad cases[] = {
      {"[1]", 0, "not a JSON object"},
      {"{", 0, "not a JSON object"},
      {R"({"a":7})", 0, "'a'"},
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "dtype"},
      {R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4, "dtype is unknown"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "bad dimension"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "bad dimension"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}})", 4, "outside the file"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "outside the file"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "do not fit"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0, "do not fit"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "hole"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "overlaps"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8, "after its last tensor"},
  };
  for (const Bad& bad : cases) {
    INFO(bad.header);
    CHECK(error_of(with_header(bad.header, bad.data)).find(bad.says) != std::string::npos);
  }
}

TEST_CASE("safetensors: every truncation of a file is refused") {
  const std::string whole = with_header(kGood, 26);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK_FALSE(error_of(whole.substr(0, length)).empty());
  }
}

TEST_CASE("safetensors: bit flips never crash, and never give bytes outside the file") {
  const std::string whole = with_header(kGood, 26);
  std::mt19937_64 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    const TemporaryFile file(bytes);
    const auto opened = SafetensorsFile::open(file.path());
    if (!opened) continue;
    for (const auto& [name, entry] : opened->entries()) {
      REQUIRE(entry.end <= bytes.size());
      const at::Tensor copy = opened->tensor(name).clone();
      CHECK(copy.nbytes() == entry.end - entry.begin);
    }
  }
}

TEST_CASE("safetensors: a folder, a missing file and an empty file are errors that name them") {
  const auto dir = std::filesystem::temp_directory_path();
  CHECK(SafetensorsFile::open(dir).error().message.find("regular file") != std::string::npos);
  CHECK(SafetensorsFile::open(dir / "waggle-none.safetensors").error().message.find("waggle-none") !=
        std::string::npos);
  CHECK(error_of("").find("shorter") != std::string::npos);
}
