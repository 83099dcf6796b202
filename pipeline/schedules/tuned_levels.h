// Align Your Steps (arXiv 2404.14507): levels found by optimisation, for ten steps, per family of models.
#pragma once

#include <vector>

namespace waggle::pipeline {

/// `n` levels, descending, without the clean end; other n than ten by interpolation linear in log sigma.
std::vector<double> align_your_steps(int n, bool sdxl);

}  // namespace waggle::pipeline
