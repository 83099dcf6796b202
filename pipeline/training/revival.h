// An exported folder taken back as a run that has ended, so that learning can go on from a model that
// shipped.
//
// Its weights are rounded to fp16 there; what only training has (the optimisers' moments, the questions that
// the encoder learned to read by) begins anew.
#pragma once

#include <cstdint>
#include <filesystem>

namespace waggle::training {

/// Writes the checkpoint of each stage as finished with the folder's weights, at step 0; stages that have one
/// already keep it. `run` holds the tokenizer of the run. Throws LoadError where the folder is not a model of
/// this recipe, or has other words.
void revive(const std::filesystem::path& model, const std::filesystem::path& run, std::uint64_t seed);

}  // namespace waggle::training
