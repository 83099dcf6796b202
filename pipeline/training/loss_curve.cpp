// loss.csv: stage,step,seconds,loss,rate,gradient.
#include "pipeline/training/loss_curve.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace waggle::training {
namespace {

constexpr const char* kHeader = "stage,step,seconds,loss,rate,gradient";

/// Whole rows of the file that are to stay; a last line without its end is a kill in mid-write.
std::vector<std::string> rows_to_keep(const std::filesystem::path& file, const std::string& stage,
                                      std::int64_t step) {
  std::vector<std::string> rows;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    if (line == kHeader) continue;
    const bool own = line.starts_with(stage + ",");
    if (own && std::strtoll(line.c_str() + stage.size() + 1, nullptr, 10) > step) continue;
    rows.push_back(line);
  }
  return rows;
}

}  // namespace

LossCurve::LossCurve(const std::filesystem::path& file, std::string stage, std::int64_t step)
    : stage_(std::move(stage)) {
  const auto rows = rows_to_keep(file, stage_, step);
  const std::filesystem::path passing = file.string() + ".new";
  out_.open(passing);
  out_ << kHeader << '\n';
  for (const auto& row : rows) out_ << row << '\n';
  if (!out_.flush()) throw std::runtime_error("cannot write " + file.string());
  std::filesystem::rename(passing, file);  // the stream goes on writing to the same file
}

void LossCurve::add(const CurveRow& row) {
  char line[160];
  std::snprintf(line, sizeof line, ",%lld,%.1f,%.6f,%.3e,%.4f\n", static_cast<long long>(row.step),
                row.seconds, row.loss, row.rate, row.gradient);
  out_ << stage_ << line << std::flush;
}

}  // namespace waggle::training
