// What random numbers are drawn for, so that no two uses share a generator. Never renumber: a seed means the
// same training as long as these stay.
#pragma once

#include <cstdint>

namespace waggle::training {

inline constexpr std::uint64_t kWords = 1, kAutoencoderSteps = 2, kStoredScenes = 3, kDenoiserSteps = 4,
                               kShownScenes = 5, kReaderSteps = 6, kDecoderSteps = 7;

}  // namespace waggle::training
