// The folder of packed weights: what it finds, what it refuses, who else writes into it.
#include "pipeline/weights/weight_cache.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

using namespace waggle::pipeline;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("waggle-packed-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    std::ofstream(model()) << "weights";
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] fs::path model() const { return path_ / "model.safetensors"; }
  [[nodiscard]] fs::path cache() const { return path_ / "cache"; }
  [[nodiscard]] std::vector<fs::path> files(const char* ending = ".weights") const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(cache()))
      if (entry.path().extension() == ending) found.push_back(entry.path());
    return found;
  }
  [[nodiscard]] fs::path file() const {
    REQUIRE(files().size() == 1);
    return files().front();
  }

 private:
  fs::path path_;
};

constexpr std::int64_t kNoLimit = 1 << 30;

/// Three weights of a part, made where they are not kept. Returns how many were made.
int load(WeightCache& cache, const fs::path& model, const std::string& making = "plain",
         std::int64_t size = 1000) {
  const auto kept = cache.open({{model}, making});
  REQUIRE(kept);
  int made = 0;
  for (int i = 0; i < 3; ++i) {
    const at::Tensor values = kept->keep("layer." + std::to_string(i), {"f32", {size, i + 1}, at::kFloat},
                                         [&](const at::Tensor& room) {
                                           ++made;
                                           room.fill_(i + 0.5);
                                         });
    CHECK(reinterpret_cast<std::uintptr_t>(values.data_ptr()) % 64 == 0);
    CHECK(values.sizes() == at::IntArrayRef({size, i + 1}));
    CHECK((values == i + 0.5).all().item<bool>());
  }
  kept->loaded();
  return made;
}

int load(const Folder& folder, const std::string& making = "plain") {
  WeightCache cache(folder.cache(), kNoLimit, {});
  return load(cache, folder.model(), making);
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("weight cache: what was made once is found by the next process, and by another name of the file") {
  const Folder folder;
  CHECK(load(folder) == 3);
  CHECK(load(folder) == 0);
  fs::copy_file(folder.model(), folder.cache() / "copy.safetensors");
  WeightCache cache(folder.cache(), kNoLimit, {});
  CHECK(load(cache, folder.cache() / "copy.safetensors") == 0);
  CHECK(folder.files().size() == 1);
  CHECK(folder.files(".part").empty());
}

TEST_CASE("weight cache: other content, another processor or library has its own file") {
  const Folder folder;
  CHECK(load(folder) == 3);
  CHECK(load(folder, "onednn 9.9.9 avx2") == 3);
  CHECK(folder.files().size() == 2);
  write(folder.model(), "weighty");
  CHECK(load(folder) == 3);
  CHECK(folder.files().size() == 3);
  CHECK(load(folder, "onednn 9.9.9 avx2") == 3);
}

TEST_CASE(
    "weight cache: a weight that is wanted in another layout or shape is made, and the file written anew") {
  const Folder folder;
  CHECK(load(folder) == 3);
  WeightCache cache(folder.cache(), kNoLimit, {});
  CHECK(load(cache, folder.model(), "plain", 1001) == 3);
  CHECK(load(cache, folder.model(), "plain", 1001) == 0);
  CHECK(folder.files().size() == 1);
}

TEST_CASE("weight cache: a file cut anywhere is made anew, and said to be broken") {
  const Folder folder;
  load(folder);
  const std::string whole = bytes_of(folder.file());
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{79}, std::size_t{81},
                                 std::size_t{300}, whole.size() - 64, whole.size() - 1}) {
    INFO(size);
    write(folder.file(), whole.substr(0, size));
    int lines = 0;
    WeightCache cache(folder.cache(), kNoLimit, [&](const std::string&) { ++lines; });
    CHECK(load(cache, folder.model()) == 3);
    CHECK(lines == 1);
    CHECK(bytes_of(folder.file()) == whole);
  }
}

TEST_CASE("weight cache: any changed byte of head or table, or bytes behind the end, are refused") {
  const Folder folder;
  load(folder);
  const std::string whole = bytes_of(folder.file());
  const std::size_t table =
      80 + static_cast<unsigned char>(whole[8]) + 256 * static_cast<unsigned char>(whole[9]);
  for (std::size_t at = 0; at < table; ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write(folder.file(), changed);
    std::string why;
    const std::string key = folder.file().stem().string();
    if (PackedFile::open(folder.file(), key, why).has_value() || why.empty()) FAIL("byte " << at);
  }
  write(folder.file(), whole + "x");
  CHECK(load(folder) == 3);
  write(folder.file(),
        "something else altogether, but longer than the eighty bytes that a head of such files has");
  CHECK(load(folder) == 3);
  CHECK(load(folder) == 0);
}

TEST_CASE("weight cache: a file under another key is not taken") {
  const Folder folder;
  load(folder);
  const fs::path plain = folder.file();
  load(folder, "other");
  for (const auto& file : folder.files())
    if (file != plain) fs::copy_file(plain, file, fs::copy_options::overwrite_existing);
  CHECK(load(folder, "other") == 3);
  CHECK(load(folder) == 0);
}

TEST_CASE("weight cache: many processes write at once, and whoever comes finds nothing or all") {
  const Folder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // No Catch2 and no threads in here: a fork has neither.
      bool good = true;
      for (int round = 0; round < 25; ++round) {
        WeightCache cache(folder.cache(), kNoLimit, [&](const std::string&) { good = false; });
        const auto kept = cache.open({{folder.model()}, std::to_string(round)});
        const at::Tensor values =
            kept->keep("layer", {"u8", {200'000}, at::kByte}, [](const at::Tensor& room) {
              std::fill_n(static_cast<unsigned char*>(room.data_ptr()), 200'000, 7);
            });
        const auto* bytes = static_cast<const unsigned char*>(values.data_ptr());
        good = good && std::all_of(bytes, bytes + 200'000, [](unsigned char byte) { return byte == 7; });
        kept->loaded();
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(folder.files().size() == 25);
  CHECK(folder.files(".part").empty());
}

TEST_CASE("weight cache: beyond its bytes the longest unused go; what alone is too large is not written") {
  const Folder folder;
  const std::int64_t one = [&] {
    load(folder, "0");
    return static_cast<std::int64_t>(fs::file_size(folder.file()));
  }();
  WeightCache cache(folder.cache(), 3 * one + one / 2, {});
  const auto age = [&](const fs::path& file, int hours) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  age(folder.file(), 3);
  CHECK(load(cache, folder.model(), "1") == 3);
  for (const auto& file : folder.files())
    if (fs::file_time_type::clock::now() - fs::last_write_time(file) < std::chrono::hours(1)) age(file, 2);
  CHECK(load(cache, folder.model(), "0") == 0);  // used just now
  CHECK(load(cache, folder.model(), "2") == 3);
  CHECK(load(cache, folder.model(), "3") == 3);
  CHECK(folder.files().size() == 3);
  CHECK(load(cache, folder.model(), "0") == 0);
  CHECK(load(cache, folder.model(), "1") == 3);  // was the oldest

  WeightCache small(folder.cache(), one - 1, {});
  CHECK(load(small, folder.model(), "4") == 3);
  CHECK(load(small, folder.model(), "4") == 3);
}

TEST_CASE("weight cache: a content hash is remembered, until the file is another one") {
  const Folder folder;
  fs::create_directories(folder.cache());
  const std::string hash = ContentHashes(folder.cache()).of(folder.model());
  ContentHashes again(folder.cache());
  CHECK(again.of(folder.model()) == hash);
  CHECK(again.files_read() == 0);
  for (const auto& note : folder.files(".content")) write(note, "cut");
  ContentHashes after(folder.cache());
  CHECK(after.of(folder.model()) == hash);
  CHECK(after.files_read() == 1);
  write(folder.model(), "others!");
  ContentHashes other(folder.cache());
  CHECK(other.of(folder.model()) != hash);
  CHECK(other.files_read() == 1);
}

TEST_CASE("weight cache: a file that cannot be read is nobody's content") {
  const Folder folder;
  int lines = 0;
  WeightCache cache(folder.cache(), kNoLimit, [&](const std::string&) { ++lines; });
  CHECK(cache.open({{folder.cache() / "none"}, "plain"}) == nullptr);
  CHECK(lines == 1);
}
