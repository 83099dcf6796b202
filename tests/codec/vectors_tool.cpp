// vectors_tool --write: writes schemas/vectors anew from the samples. A vector changes only when the protocol
// does.
#include <cstdio>
#include <fstream>
#include <string_view>

#include "tests/codec/vectors.h"

int main(int argc, char** argv) {
  using namespace waggle::codec::test;
  if (argc != 2 || std::string_view(argv[1]) != "--write") {
    std::fputs("usage: vectors_tool --write\n", stderr);
    return 2;
  }
  std::size_t written = 0;
  for (const Sample& sample : samples()) {
    const Vector vector = vector_of(sample);
    std::ofstream file(file_of(vector), std::ios::binary | std::ios::trunc);
    file << text_of(vector);
    if (!file.flush()) {
      std::fprintf(stderr, "cannot write %s\n", file_of(vector).c_str());
      return 1;
    }
    ++written;
  }
  std::printf("%zu vectors\n", written);
  return 0;
}
