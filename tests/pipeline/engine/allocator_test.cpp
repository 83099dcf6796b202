// What a freed block costs when it is wanted again, counted by the kernel.
#include "pipeline/engine/allocator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

namespace waggle::pipeline {
namespace {

constexpr std::size_t kBlock = std::size_t{48}
                               << 20;  // above 32 MiB, from where glibc maps whatever it is told

/// Three blocks, written and freed, as an operation does with its results.
void use_memory() {
  std::vector<std::unique_ptr<char, decltype(&std::free)>> blocks;
  for (int i = 0; i < 3; ++i) {
    blocks.emplace_back(static_cast<char*>(std::malloc(kBlock)), &std::free);
    REQUIRE(blocks.back() != nullptr);
    std::memset(blocks.back().get(), i + 1, kBlock);
  }
}

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

long resident_bytes() {
  long pages = 0, resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%ld %ld", &pages, &resident);
  std::fclose(file);
  return read == 2 ? resident * ::sysconf(_SC_PAGESIZE) : 0;
}

}  // namespace

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("allocator: memory that was freed comes back without a page fault, until it is released") {
  keep_freed_memory();
  use_memory();
  const long before = page_faults();
  use_memory();
  CHECK(page_faults() - before < 100);

  const long kept = resident_bytes();
  release_freed_memory();
  CHECK(kept - resident_bytes() > static_cast<long>(2 * kBlock));
}
#endif

}  // namespace waggle::pipeline
