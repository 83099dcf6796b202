// What a single checkpoint is beyond what the shapes of its tensors say: what it predicts, and whether it was
// distilled into a few steps.
#pragma once

#include <string>

#include "pipeline/weights/single_file.h"

namespace waggle::pipeline {

/// `kind` with the open points filled in. In this order, the first that says something counts:
///   1. `<checkpoint>.json` beside it: {"family": "turbo", "prediction_type": "v_prediction",
///      "zero_terminal_snr": true}, each optional;
///   2. `family`: "turbo" (few steps), "sd21-base" (noise), "sd21-v" (velocity); names of other families and
///      the empty text leave all open;
///   3. tensors that trainers put in as marks: v_pred, ztsnr;
///   4. `<checkpoint without its ending>.yaml`, as AUTOMATIC1111 reads it: parameterization;
///   5. for SD 2.x with 4 channels a statistic of the weights that tells 768-v from 512-base;
///   6. the word "turbo" in the file's name.
/// Throws LoadError when the JSON is broken or names a family that the tensors rule out.
CheckpointKind with_hints(CheckpointKind kind, const SafetensorsFile& file, const std::string& family);

}  // namespace waggle::pipeline
