// The eight tile registers of AMX, all of them 16 rows of 64 bytes, under names that templates can count.
//
// Not the compiler's intrinsics: GCC 12 does not tell itself that loading a tile reads memory, and may move
// the stores that filled it behind the load. Included by files that are reached only where has_amx_bf16() is
// true.
#pragma once

#include <cstdint>

namespace waggle::pipeline::kernels {
namespace {

using bf16_element = std::uint16_t;
inline constexpr std::int64_t kTileSide = 16;  ///< rows of a tile, and sums in a row
inline constexpr std::int64_t kTileDepth =
    32;  ///< bf16 numbers in a row of one factor, a column of the other
inline constexpr std::int64_t kTileElements = kTileSide * kTileDepth;

/// This thread's tiles, configured as long as the object lives: what a tile register is belongs to the
/// thread, and others (oneDNN) configure their own before they use any.
class Tiles {
 public:
  Tiles() {
    constexpr Config kAllWhole;
    asm volatile("ldtilecfg %0" : : "m"(kAllWhole) : "memory");
  }
  ~Tiles() { asm volatile("tilerelease" : : : "memory"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

  /// **Unit**: `stride` in bytes between rows.
  template <int tile>
  static void load(const void* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void store(void* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(tile) : "memory");
  }
  template <int tile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
  }
  /// sums += a . b in fp32. **Shape**: a 16 rows of 32; b 16 rows of 16 pairs, the pair of rows 2i and 2i + 1
  /// of the factor in row i.
  template <int sums, int a, int b>
  static void multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(sums), "i"(a), "i"(b));
  }

 private:
  struct alignas(64) Config {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
};

}  // namespace
}  // namespace waggle::pipeline::kernels
