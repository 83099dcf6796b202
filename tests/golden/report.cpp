// Comparing tensors and keeping count.
#include "tests/golden/report.h"

#include <algorithm>
#include <cstdio>

#include <ATen/Functions.h>

namespace waggle::golden {

bool matches(std::string_view glob, std::string_view text) {
  // Iterative matcher with one point to come back to: linear in practice, no recursion.
  std::size_t g = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g, ++t;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++, mark = t;
    } else if (star != std::string_view::npos) {
      g = star + 1, t = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool Report::wants(const std::string& name) const { return only_.empty() || matches(only_, name); }

void Report::line(const std::string& name, const std::string& detail, const char* verdict) {
  std::printf("%-64s %s  %s\n", name.c_str(), detail.c_str(), verdict);
}

void Report::compare(const std::string& name, const at::Tensor& actual, const at::Tensor& expected,
                     double bound) {
  if (!wants(name)) return;
  if (!actual.defined() || actual.sizes() != expected.sizes()) return fail(name, "has another shape");
  const at::Tensor a = actual.to(at::kDouble), e = expected.to(at::kDouble);
  const double error = e.numel() == 0 ? 0.0 : (a - e).abs().max().item<double>();
  char detail[96];
  std::snprintf(detail, sizeof detail, "error %.3e  bound %.3e", error, bound);
  const bool good = error <= bound;  // false for NaN
  ++(good ? passed_ : failed_);
  if (!good || !quiet_) line(name, detail, good ? "pass" : "FAIL");
}

void Report::check(const std::string& name, bool good, const std::string& detail) {
  if (!wants(name)) return;
  ++(good ? passed_ : failed_);
  if (!good || !quiet_) line(name, detail, good ? "pass" : "FAIL");
}

void Report::fail(const std::string& name, const std::string& reason) {
  if (!wants(name)) return;
  ++failed_;
  line(name, reason, "FAIL");
}

void Report::skip(const std::string& name, const std::string& reason) {
  if (!wants(name)) return;
  ++skipped_;
  line(name, reason, "skip");
}

void Report::summary() const {
  std::printf("%d passed, %d failed, %d skipped\n", passed_, failed_, skipped_);
}

}  // namespace waggle::golden
