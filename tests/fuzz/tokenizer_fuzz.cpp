// Fuzz entry of the tokenizer's files. The input is vocab.json, merges.txt, special_tokens_map.json and a
// text to encode, with a zero byte behind each of the first three. A tokenizer that loads must encode
// anything with ids below its size.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include "pipeline/text/tokenizer.h"

namespace {

/// A folder of this process, gone with it.
struct Folder {
  Folder() {
    const bool has_memory = std::filesystem::is_directory("/dev/shm");
    std::string pattern = std::string(has_memory ? "/dev/shm" : "/tmp") + "/waggle-fuzz-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using waggle::pipeline::Tokenizer;
  static const Folder folder;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"vocab.json", "merges.txt", "special_tokens_map.json"}) {
    const std::string_view bytes = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), bytes.size() + 1));
    const std::filesystem::path file = folder.path / name;
    if (bytes.empty())
      std::filesystem::remove(file);
    else
      std::ofstream(file, std::ios::binary) << bytes;
  }
  const auto tokenizer = Tokenizer::load(folder.path);
  if (!tokenizer) return 0;
  for (const std::string_view text :
       {rest, std::string_view("a red circle, 2 \xF0\x9F\x90\x9D &amp; more")}) {
    for (const std::int32_t id : tokenizer->encode_padded(text, 77))
      if (id < 0 || static_cast<std::size_t>(id) >= tokenizer->vocabulary_size()) std::abort();
  }
  return 0;
}
