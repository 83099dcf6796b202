// Values of an axis are one record of a table, so quotes work as they do there.
#include "consumer/cli/batch/grid.h"

#include <algorithm>
#include <utility>

#include "consumer/cli/batch/csv.h"
#include "consumer/cli/batch/job_fields.h"

namespace waggle::cli::batch {

namespace {

Error bad(std::string message) { return {ErrorCode::invalid_request, "--grid " + std::move(message)}; }

}  // namespace

Result<Axis> parse_axis(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return bad("must be FIELD=VALUE,VALUE,..., such as sampler=euler,ddim, is \"" + std::string(text) + "\"");
  Axis axis{std::string(text.substr(0, equals)), {}};
  CsvFile values = parse_csv(text.substr(equals + 1), ',');
  if (!values.error.empty()) return bad(axis.name + ": " + values.error);
  if (values.records.size() != 1) return bad(axis.name + " has no values");
  for (std::string& value : values.records.front().cells) {
    if (value.empty()) return bad(axis.name + " has an empty value");
    axis.values.push_back(std::move(value));
  }
  return axis;
}

Result<std::vector<codec::Object>> combinations(const std::vector<Axis>& axes, std::size_t limit) {
  std::vector<codec::Object> all(1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    const auto same = [&axis](const Axis& other) {
      return canonical_name(other.name) == canonical_name(axis.name);
    };
    if (std::any_of(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(i), same))
      return bad(axis.name + " is there twice");
    if (all.size() > limit / axis.values.size())
      return bad("makes more than " + std::to_string(limit) + " combinations");
    std::vector<codec::Object> more;
    for (const codec::Object& fields : all) {
      for (const std::string& value : axis.values) {
        more.push_back(fields);
        if (auto set = set_from_text(more.back(), axis.name, value); !set)
          return bad(axis.name + ": \"" + value + "\" " + set.error().message);
      }
    }
    all = std::move(more);
  }
  return all;
}

}  // namespace waggle::cli::batch
