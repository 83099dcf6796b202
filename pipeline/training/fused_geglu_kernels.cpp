// GEGLU (Shazeer 2020) in one pass each way. The gradient computes GELU again rather than keep it.
#include "pipeline/training/fused_geglu_kernels.h"

#include "pipeline/training/lanes.h"

namespace waggle::training {

WAGGLE_CLONES void geglu_forward(std::int64_t rows, std::int64_t width, const std::uint16_t* x,
                                 std::uint16_t* y) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const Lanes value = load_bf16(x + r * 2 * width + c), gate = load_bf16(x + r * 2 * width + width + c);
      store_bf16(y + r * width + c, value * gate * normal_integral(gate, exp_of(-0.5F * gate * gate)));
    }
}

WAGGLE_CLONES void geglu_backward(std::int64_t rows, std::int64_t width, const std::uint16_t* x,
                                  const std::uint16_t* dy, std::uint16_t* dx) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const std::int64_t at = r * 2 * width + c;
      const Lanes value = load_bf16(x + at), gate = load_bf16(x + at + width),
                  g = load_bf16(dy + r * width + c);
      const Lanes bell = exp_of(-0.5F * gate * gate), share = normal_integral(gate, bell);
      store_bf16(dx + at, g * gate * share);
      store_bf16(dx + at + width, g * value * (share + 0.39894228F * gate * bell));
    }
}

}  // namespace waggle::training
