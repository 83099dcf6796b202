// Memory of the container, and the estimate for a picture.
#include "pipeline/engine/memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include <unistd.h>

namespace waggle::pipeline {
namespace {

/// The smallest limit that a control group sets on this process, or nothing above the machine's memory.
std::int64_t container_limit(std::int64_t machine) {
  std::int64_t limit = machine;
  for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(file);
    std::int64_t value = 0;
    if (in >> value) limit = std::min(limit, value);  // "max" does not parse: no limit
  }
  return limit;
}

std::int64_t meminfo(const std::string& key) {
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  std::int64_t kib = 0;
  while (in >> name >> kib && std::getline(in, unit))
    if (name == key + ":") return kib * 1024;
  return 0;
}

}  // namespace

MemoryState memory_state(Device device) {
  MemoryState state;
  if (device.kind != DeviceKind::cpu) return state;  // filled in by the device's own allocator statistics
  state.total_bytes = container_limit(meminfo("MemTotal"));
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  if (statm >> size >> resident) state.used_bytes = resident * ::sysconf(_SC_PAGESIZE);
  state.free_bytes =
      std::min(meminfo("MemAvailable"), std::max<std::int64_t>(0, state.total_bytes - state.used_bytes));
  return state;
}

std::int64_t activation_bytes(const StableDiffusion& model, int width, int height) {
  const auto pixels = static_cast<std::int64_t>(width) * height;
  const VaeConfig& vae = model.vae_config();
  // The decoder's last level holds input, output and two intermediates of its widest layer at full size.
  const std::int64_t last = vae.widths.front() * 3 + (vae.widths.size() > 1 ? vae.widths[1] * 2 : 0);
  const std::int64_t decode = pixels * last * 4;

  const UNetConfig& unet = model.unet().config();
  const std::int64_t cells = pixels / (vae.factor() * vae.factor());
  // Two rows (guidance); skips of the first level, feed-forward hidden of 8 C, slices of the score matrix.
  const std::int64_t step = 2 * cells * unet.widths.front() * 24 * 4;
  const std::int64_t scores =
      std::min<std::int64_t>(2 * unet.heads.front() * cells * cells, std::int64_t{64} << 20) * 8;
  return std::max(decode, step + scores);
}

}  // namespace waggle::pipeline
