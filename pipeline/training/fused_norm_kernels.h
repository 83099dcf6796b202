// Group normalisation followed by SiLU, forwards and backwards, over channels-last bf16: raw pointers, no
// torch.
//
// Training spends as much time on these as on convolutions when they are separate passes in fp32, so one pass
// reads bf16 and writes bf16, with fp32 in between. Attaching them to autograd is fused_norm.h's business.
#pragma once

#include <cstdint>

namespace waggle::training {

struct NormShape {
  std::int64_t batch, pixels, channels, groups;
  double eps;
  bool silu;
};

/// **Shape**: x, y [batch, pixels, channels] bf16, channels divide by sixteen; weight, bias [channels]; mean,
/// rstd [batch, groups] out.
void group_norm_forward(const NormShape& shape, const std::uint16_t* x, const float* weight,
                        const float* bias, std::uint16_t* y, float* mean, float* rstd);

/// Gradients from what the forward pass saved. d_weight and d_bias are added to.
void group_norm_backward(const NormShape& shape, const std::uint16_t* x, const std::uint16_t* dy,
                         const float* weight, const float* bias, const float* mean, const float* rstd,
                         std::uint16_t* dx, float* d_weight, float* d_bias);

}  // namespace waggle::training
