// A folder of a test's own that goes away with it, and a small vocabulary to put into it.
#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace waggle::pipeline::test {

inline std::filesystem::path golden_tokenizer() {
  return std::filesystem::path(WAGGLE_GOLDEN_DATA) / "sd15" / "tokenizer";
}

class ScratchFolder {
 public:
  ScratchFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("waggle-text-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void write(std::string_view name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << content;
  }
  [[nodiscard]] std::string read(std::string_view name) const {
    std::ifstream in(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path path_;
};

/// A scratch folder that holds a good tokenizer, to be broken by the test.
class ScratchTokenizer : public ScratchFolder {
 public:
  ScratchTokenizer() {
    for (const char* name :
         {"vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"}) {
      std::filesystem::copy_file(golden_tokenizer() / name, path() / name);
    }
  }
};

}  // namespace waggle::pipeline::test
