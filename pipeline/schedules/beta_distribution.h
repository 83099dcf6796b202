// The inverse of the Beta distribution's cumulative function, which the "beta" schedule takes its timesteps
// from.
#pragma once

namespace waggle::pipeline {

/// The x in 0..1 below which a share `p` (0..1) of Beta(a, b) lies; a, b > 0. Accurate to about 1e-12.
double beta_quantile(double p, double a, double b);

}  // namespace waggle::pipeline
