// The worker programs: three mains over this one function.
#pragma once

#include "pipeline/pipeline.h"

namespace waggle::worker {

/// Runs a worker of this kind until it is told to stop; returns its exit code.
int run(pipeline::DeviceKind kind, int argc, char** argv);

}  // namespace waggle::worker
