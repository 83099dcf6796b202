// The names of samplers and schedules, taken from their tables for those who may not see the tables
// themselves.
#include "pipeline/pipeline.h"
#include "pipeline/samplers/registry.h"
#include "pipeline/schedules/registry.h"

namespace waggle::pipeline {

namespace {
/// Canonical name first; the label that people see is accepted too.
template <class Row>
std::vector<std::string> names_of(const Row& row) {
  std::vector<std::string> names{std::string(row.name), std::string(row.label)};
  names.insert(names.end(), row.aliases.begin(), row.aliases.end());
  return names;
}
}  // namespace

std::vector<std::vector<std::string>> sampler_names() {
  std::vector<std::vector<std::string>> all;
  for (const SamplerRow& row : sampler_table()) all.push_back(names_of(row));
  return all;
}

std::vector<std::vector<std::string>> schedule_names() {
  std::vector<std::vector<std::string>> all;
  for (const ScheduleRow& row : schedule_table()) all.push_back(names_of(row));
  return all;
}

}  // namespace waggle::pipeline
