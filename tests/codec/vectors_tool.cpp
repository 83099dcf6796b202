// vectors_tool --write: writes schemas/vectors anew from the samples. A vector changes only when the protocol
// does. vectors_tool --seeds DIR: writes every sample as an input of the fuzzer, in both notations.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "tests/codec/vectors.h"

namespace {

using namespace waggle::codec::test;

bool write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  if (file.flush()) return true;
  std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return false;
}

bool write_vectors() {
  for (const Sample& sample : samples()) {
    const Vector vector = vector_of(sample);
    if (!write_file(file_of(vector), text_of(vector))) return false;
  }
  std::printf("%zu vectors\n", samples().size());
  return true;
}

// The first byte is the choice that codec_fuzz.cpp reads: kind and notation.
bool write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::vector<std::string_view>& kinds = msgpack_kinds();
  for (const Sample& sample : samples()) {
    const Vector vector = vector_of(sample);
    if (vector.msgpack.empty()) continue;
    const auto at = std::find(kinds.begin(), kinds.end(), vector.kind) - kinds.begin();
    const std::string name = vector.kind + "." + vector.name;
    if (!write_file(folder / (name + ".msgpack"), static_cast<char>(at << 1) + vector.msgpack)) return false;
    if (!write_file(folder / (name + ".json"), static_cast<char>(at << 1 | 1) + vector.json)) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (argc == 2 && command == "--write") return write_vectors() ? 0 : 1;
  if (argc == 3 && command == "--seeds") return write_seeds(argv[2]) ? 0 : 1;
  std::fputs("usage: vectors_tool --write | --seeds DIR\n", stderr);
  return 2;
}
