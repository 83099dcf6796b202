// Which implementation of the operations a device and a dtype get.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pipeline/ops/fast.h"
#include "pipeline/ops/onednn.h"
#include "pipeline/ops/ops.h"

namespace waggle::pipeline::ops {
namespace {

/// One implementation for CPUs, fastest first.
struct Candidate {
  std::string_view name;
  at::ScalarType dtype;
  std::shared_ptr<const Operations> (*make)();
};
constexpr Candidate kCandidates[] = {
    {"amx_bf16", at::kBFloat16, amx_bf16_operations},
    {"avx512_bf16", at::kBFloat16, avx512_bf16_operations},
    {"avx512", at::kFloat, avx512_operations},
    {"avx2", at::kFloat, avx2_operations},
};

/// The name that the environment asks for; empty when it leaves the choice to us.
std::string_view wanted_name() {
  const char* value = std::getenv("WAGGLE_KERNELS");
  const std::string_view name = value == nullptr ? "" : value;
  return name == "auto" ? "" : name;
}

/// The row of that name when it is of this dtype: another dtype is not its business.
const Candidate* named(std::string_view name, at::ScalarType dtype) {
  for (const Candidate& candidate : kCandidates)
    if (candidate.name == name) return candidate.dtype == dtype ? &candidate : nullptr;
  throw std::runtime_error(
      "WAGGLE_KERNELS must be auto, reference, avx2, avx512, avx512_bf16 or amx_bf16, not " +
      std::string(name));
}

}  // namespace

std::string weight_layouts() {
#if defined(WAGGLE_ONEDNN)
  return onednn_layouts();
#else
  return "plain";
#endif
}

std::shared_ptr<const Operations> best_operations(at::Device device, at::ScalarType dtype) {
  if (!device.is_cpu()) return reference_operations(device, dtype);
  const std::string_view name = wanted_name();
  if (name == "reference") return reference_operations(device, dtype);
  if (!name.empty())
    if (const Candidate* candidate = named(name, dtype)) {
      if (auto operations = candidate->make()) return operations;
      throw std::runtime_error("WAGGLE_KERNELS=" + std::string(name) + ": not on this machine");
    }
  for (const Candidate& candidate : kCandidates)
    if (candidate.dtype == dtype)
      if (auto operations = candidate.make()) return operations;
  return reference_operations(device, dtype);
}

}  // namespace waggle::pipeline::ops
