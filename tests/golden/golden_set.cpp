// Reading a set of reference numbers.
#include "tests/golden/golden_set.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "pipeline/schedules/python_json.h"

namespace waggle::golden {
namespace {

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto json =
      nlohmann::json::parse(pipeline::without_python_numbers(text), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) throw std::runtime_error(path.string() + " is not a JSON object");
  return json;
}

pipeline::SafetensorsFile open(const std::filesystem::path& path) {
  auto file = pipeline::SafetensorsFile::open(path);
  if (!file) throw std::runtime_error(file.error().message);
  return std::move(*file);
}

}  // namespace

GoldenSet::GoldenSet(const std::filesystem::path& dir, const std::string& stem)
    : json_(read_json(dir / (stem + ".json"))), tensors_(open(dir / (stem + ".safetensors"))) {}

double GoldenSet::bound(const std::string& tensor, double otherwise) const {
  const auto& entry = json_["tensors"].value(tensor, nlohmann::json::object());
  const auto measured = entry.find("max_abs_fp32_vs_fp64");
  if (measured == entry.end() || !measured->is_number()) return otherwise;
  return 30 * measured->get<double>() + 1e-5;
}

}  // namespace waggle::golden
