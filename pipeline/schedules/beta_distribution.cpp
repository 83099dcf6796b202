// Bisection on the regularised incomplete beta function, which is summed as its power series (DLMF 8.17.22 is
// the continued fraction; the series of 8.17.7 is simpler and converges quickly for x <= 1/2).
#include "pipeline/schedules/beta_distribution.h"

#include <cmath>

namespace waggle::pipeline {
namespace {

/// x^a / (a B(a,b)) * sum over n of (1-b)_n a / (n! (a+n)) x^n, for 0 <= x <= 1/2.
double lower_half(double x, double a, double b) {
  if (x <= 0.0) return 0.0;
  const double log_front = a * std::log(x) + std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
  double term = 1.0;
  double sum = 1.0 / a;
  for (int n = 1; n < 200; ++n) {
    term *= (n - b) / n * x;
    sum += term / (a + n);
    if (std::abs(term) < 1e-17) break;
  }
  return std::exp(log_front) * sum;
}

double cumulative(double x, double a, double b) {
  return x <= 0.5 ? lower_half(x, a, b) : 1.0 - lower_half(1.0 - x, b, a);
}

}  // namespace

double beta_quantile(double p, double a, double b) {
  if (p <= 0.0) return 0.0;
  if (p >= 1.0) return 1.0;
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 64; ++i) {
    const double middle = 0.5 * (low + high);
    (cumulative(middle, a, b) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace waggle::pipeline
