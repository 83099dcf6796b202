// Memory of the container.
#include "pipeline/engine/memory.h"

#include <algorithm>
#include <fstream>
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

}  // namespace waggle::pipeline
