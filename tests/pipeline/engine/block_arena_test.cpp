// Where large tensors lie: what their range of addresses grows to, and what it gives back.
#include "pipeline/engine/block_arena.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <ATen/ATen.h>
#include <catch2/catch.hpp>
#include <sys/resource.h>

namespace waggle::pipeline {
namespace {

constexpr std::size_t kMiB = 1 << 20;

long page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

struct Block {
  std::uint64_t* data;
  std::size_t words;
  std::uint64_t mark;

  [[nodiscard]] bool intact() const { return data[0] == mark && data[words - 1] == mark; }
};

Block block_of(BlockArena& arena, std::size_t bytes, std::uint64_t mark) {
  Block block{static_cast<std::uint64_t*>(arena.take(bytes)), bytes / 8, mark};
  REQUIRE(block.data != nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(block.data) % 64 == 0);
  block.data[0] = block.data[block.words - 1] = mark;
  return block;
}

}  // namespace

TEST_CASE("arena: blocks that come and go in any order never overlap, and all of it is free at the end") {
  BlockArena arena(512 * kMiB);
  std::mt19937 dice(5);
  std::vector<Block> alive;
  for (std::uint64_t i = 1; i <= 3000; ++i) {
    if (alive.size() < 20 && dice() % 5 < 3) {
      alive.push_back(block_of(arena, (dice() % 100 + 1) * 40'008 / 8 * 8, i));
      continue;
    }
    if (alive.empty()) continue;
    const std::size_t chosen = dice() % alive.size();
    REQUIRE(alive[chosen].intact());
    arena.give_back(alive[chosen].data);
    alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(chosen));
  }
  for (const Block& block : alive) {
    CHECK(block.intact());
    arena.give_back(block.data);
  }
  arena.release();
  CHECK(arena.extent() == 0);
  void* all = arena.take(511 * kMiB);
  CHECK(all != nullptr);
  CHECK(arena.take(2 * kMiB) == nullptr);
  arena.give_back(all);
}

TEST_CASE("arena: batches of two, four and six take what the largest of them takes") {
  // A step as a chain of layers: the input lives until its output is there, and some are kept for later.
  const auto step = [](BlockArena& arena, std::size_t rows) {
    std::vector<void*> skips;
    void* x = arena.take(rows * 5 * kMiB);
    for (std::size_t layer = 0; layer < 12; ++layer) {
      void* wide = arena.take(rows * 21 * kMiB);
      void* y = arena.take(rows * (layer % 3 == 2 ? 3 : 5) * kMiB);
      arena.give_back(wide);
      layer % 3 == 0 ? skips.push_back(x) : arena.give_back(x);
      x = y;
    }
    arena.give_back(x);
    for (void* skip : skips) arena.give_back(skip);
  };
  BlockArena alone(std::size_t{8} << 30), mixed(std::size_t{8} << 30);
  step(alone, 6);
  for (const std::size_t rows : {2, 4, 6, 4, 2, 6, 3, 5}) step(mixed, rows);
  CHECK(mixed.extent() <= alone.extent());
}

TEST_CASE("arena: freed pages come back without a fault, until they are released or while it is thrifty") {
  BlockArena arena(256 * kMiB);
  const auto use = [&] {
    void* block = arena.take(64 * kMiB);
    std::memset(block, 1, 64 * kMiB);
    arena.give_back(block);
  };
  const auto faults = [&] {
    const long before = page_faults();
    use();
    return page_faults() - before;
  };
  use();
  CHECK(faults() < 10);
  arena.release();
  CHECK(faults() > 20);
  arena.set_thrifty(true);
  use();
  CHECK(faults() > 20);
  arena.set_thrifty(false);
  use();
  CHECK(faults() < 10);
}

TEST_CASE("arena: where addresses are refused, nothing is taken") {
  BlockArena arena(std::size_t{1} << 62);
  CHECK(arena.take(kMiB) == nullptr);
  CHECK_FALSE(arena.holds(&arena));
  arena.release();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("arena: large tensors lie there, small ones do not, and neither loses its numbers") {
  const at::Tensor before = at::full({1 << 20}, 3.0F);
  keep_tensors_apart();
  REQUIRE(tensor_arena() != nullptr);
  const at::Tensor large = at::full({1 << 20}, 2.0F), small = at::full({16}, 1.0F);
  CHECK(tensor_arena()->holds(large.data_ptr()));
  CHECK_FALSE(tensor_arena()->holds(small.data_ptr()));
  CHECK_FALSE(tensor_arena()->holds(before.data_ptr()));
  CHECK((large + before).sum().item<float>() == 5.0F * (1 << 20));
}
#endif

}  // namespace waggle::pipeline
