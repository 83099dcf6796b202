// What the stages of a run are called: in names of checkpoints, in the loss curve, on the command line.
#pragma once

namespace waggle::training {

inline constexpr const char *kVae = "vae", *kDecoder = "decoder", *kReader = "reader",
                            *kDenoiser = "denoiser";

}  // namespace waggle::training
