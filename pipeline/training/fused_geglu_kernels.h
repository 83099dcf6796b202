// GEGLU over bf16, forwards and backwards: raw pointers, no torch.
#pragma once

#include <cstdint>

namespace waggle::training {

/// y = first half of a row times GELU of its second half. **Shape**: x [rows, 2 * width], y [rows, width];
/// width divides by sixteen.
void geglu_forward(std::int64_t rows, std::int64_t width, const std::uint16_t* x, std::uint16_t* y);

/// **Shape**: dy as y, dx as x.
void geglu_backward(std::int64_t rows, std::int64_t width, const std::uint16_t* x, const std::uint16_t* dy,
                    std::uint16_t* dx);

}  // namespace waggle::training
