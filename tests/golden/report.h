// What a golden run found: one line per tensor, and the totals.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace waggle::golden {

class Report {
 public:
  /// `only`: a glob (`*`, `?`) over "set/case.tensor" or "set/case"; empty: everything. `quiet` prints
  /// failures and skips only.
  explicit Report(std::string only = "", bool quiet = false) : only_(std::move(only)), quiet_(quiet) {}

  /// Whether any tensor of this name (a case, or a case and its tensor) is asked for.
  [[nodiscard]] bool wants(const std::string& name) const;

  /// Compares and prints "name  max abs error  bound  pass|FAIL". Other shapes and non-finite values fail.
  void compare(const std::string& name, const at::Tensor& actual, const at::Tensor& expected, double bound);
  /// A check that is no comparison of tensors.
  void check(const std::string& name, bool passed, const std::string& detail);
  void fail(const std::string& name, const std::string& reason);
  void skip(const std::string& name, const std::string& reason);

  void summary() const;
  [[nodiscard]] int passed() const { return passed_; }
  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] int skipped() const { return skipped_; }

 private:
  void line(const std::string& name, const std::string& detail, const char* verdict);

  std::string only_;
  bool quiet_;
  int passed_ = 0, failed_ = 0, skipped_ = 0;
};

/// Glob match of the whole text.
bool matches(std::string_view glob, std::string_view text);

}  // namespace waggle::golden
