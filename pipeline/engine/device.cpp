// Devices, precisions, processors.
#include "pipeline/engine/device.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <ATen/Context.h>

#include "pipeline/engine/processors.h"
#include "pipeline/ops/int8.h"
#include "pipeline/torch_version.h"

namespace waggle::pipeline {
namespace {

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != line.npos) return line.substr(colon + 2);
  return "CPU";
}

bool multiplies_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

std::string to_string(Device device) {
  switch (device.kind) {
    case DeviceKind::cpu:
      return "cpu";
    case DeviceKind::cuda:
      return "cuda:" + std::to_string(device.index);
    case DeviceKind::metal:
      return "metal:" + std::to_string(device.index);
  }
  return "cpu";
}

Status check_device(Device device) {
  const auto missing = [](std::string what) { return Error{ErrorCode::device_error, std::move(what)}; };
  switch (device.kind) {
    case DeviceKind::cpu:
      return Done{};
    case DeviceKind::cuda:
      if (!at::hasCUDA()) return missing("this libtorch was built without CUDA");
      if (device.index < 0 || device.index >= at::detail::getCUDAHooks().getNumGPUs())
        return missing("there is no CUDA device " + std::to_string(device.index));
      return Done{};
    case DeviceKind::metal:
      if (!torch_has_metal()) return missing("this libtorch was built without Metal (MPS)");
      return device.index == 0 ? Status(Done{})
                               : missing("there is no Metal device " + std::to_string(device.index));
  }
  return missing("unknown kind of device");
}

std::string device_name(Device device, int threads) {
  if (device.kind != DeviceKind::cpu) return to_string(device);
  return processor_name() + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::automatic:
      return "auto";
    case Precision::fp32:
      return "fp32";
    case Precision::bf16:
      return "bf16";
    case Precision::fp16:
      return "fp16";
    case Precision::int8:
      return "int8";
  }
  return "auto";
}

std::optional<Precision> precision_from_name(std::string_view text) noexcept {
  for (const auto precision :
       {Precision::automatic, Precision::fp32, Precision::bf16, Precision::fp16, Precision::int8})
    if (name(precision) == text) return precision;
  return std::nullopt;
}

at::Device torch_device(Device device) {
  switch (device.kind) {
    case DeviceKind::cpu:
      return at::Device(at::kCPU);
    case DeviceKind::cuda:
      return {at::kCUDA, static_cast<at::DeviceIndex>(device.index)};
    case DeviceKind::metal:
      return {at::kMPS, static_cast<at::DeviceIndex>(device.index)};
  }
  return at::Device(at::kCPU);
}

at::ScalarType dtype_for(Device device, Precision precision) {
  const bool cpu = device.kind == DeviceKind::cpu;
  switch (precision) {
    case Precision::automatic:
      if (!cpu) return at::kHalf;
      return multiplies_bf16() ? at::kBFloat16 : at::kFloat;
    case Precision::fp32:
      return at::kFloat;
    case Precision::bf16:
      return at::kBFloat16;
    case Precision::fp16:
      if (cpu) throw std::runtime_error("fp16 needs a GPU; a CPU has fp32, bf16 and int8");
      return at::kHalf;
    case Precision::int8:
      if (!cpu) throw std::runtime_error("int8 needs a CPU; a GPU has fp32, bf16 and fp16");
      return dtype_for(device, Precision::automatic);
  }
  return at::kFloat;
}

std::shared_ptr<const ops::Operations> unet_operations(Device device, Precision precision) {
  auto operations = ops::best_operations(torch_device(device), dtype_for(device, precision));
  return precision == Precision::int8 ? ops::with_int8_weights(std::move(operations)) : operations;
}

int thread_count(int asked, int share) {
  return asked > 0 ? asked : compute_threads(read_processors(allowed_processors()), share);
}

}  // namespace waggle::pipeline
