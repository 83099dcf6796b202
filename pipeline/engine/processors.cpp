// Affinity by the system call, cores from sysfs, quotas from the control groups of version 2 and 1, each by
// the place where this process sees its own.
#include "pipeline/engine/processors.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <sched.h>

namespace waggle::pipeline {
namespace {

namespace fs = std::filesystem;

/// Where one hierarchy of control groups is mounted: `group` is what is seen at the folder `mount`.
struct Hierarchy {
  bool unified = false;
  std::string group, mount;
};

bool lists_cpu(const std::string& names) {
  std::istringstream in(names);
  for (std::string name; std::getline(in, name, ',');)
    if (name == "cpu") return true;
  return false;
}

/// Lines of mountinfo: id parent device root mount options [tags...] - type source options
std::vector<Hierarchy> hierarchies(const fs::path& root) {
  std::vector<Hierarchy> found;
  std::ifstream in(root / "proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string skipped, type, source, options;
    Hierarchy h;
    words >> skipped >> skipped >> skipped >> h.group >> h.mount;
    while (words >> skipped && skipped != "-") {
    }
    words >> type >> source >> options;
    h.unified = type == "cgroup2";
    if (h.unified || (type == "cgroup" && lists_cpu(options))) found.push_back(std::move(h));
  }
  return found;
}

/// This process's group in that hierarchy; lines are "id:controllers:path", version 2 names no controllers.
std::string own_group(const fs::path& root, bool unified) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : lists_cpu(controllers)) return line.substr(second + 1);
  }
  return "/";
}

/// Processors' worth of time that one group grants; 0: no limit ("max", -1, or nothing that can be read).
double quota_of(const fs::path& group, bool unified) {
  std::int64_t time = 0, period = 0;
  if (unified) {
    std::ifstream(group / "cpu.max") >> time >> period;
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> time;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return time > 0 && period > 0 ? static_cast<double>(time) / static_cast<double>(period) : 0;
}

/// The smallest quota from this process's group up to where the hierarchy is mounted: each bounds all below
/// it.
double smallest_quota(const fs::path& root) {
  double smallest = 0;
  for (const Hierarchy& h : hierarchies(root)) {
    const fs::path mount = root / fs::path(h.mount).relative_path();
    // A container without a namespace of its own sees its group by the host's path, mounted as the top.
    fs::path inside = fs::path(own_group(root, h.unified)).lexically_relative(h.group);
    if (inside.empty() || *inside.begin() == "..") inside = ".";
    for (fs::path at = inside.lexically_normal();; at = at.parent_path()) {
      const double quota = quota_of(mount / at, h.unified);
      if (quota > 0) smallest = smallest > 0 ? std::min(smallest, quota) : quota;
      if (at.empty() || at == ".") break;
    }
  }
  return smallest;
}

/// SMT siblings name the same list; a processor that names none counts for itself.
int count_cores(const std::vector<int>& allowed, const fs::path& root) {
  std::set<std::string> cores;
  for (const int processor : allowed) {
    const std::string name = "cpu" + std::to_string(processor);
    std::string siblings;
    std::ifstream(root / "sys/devices/system/cpu" / name / "topology/thread_siblings_list") >> siblings;
    cores.insert(siblings.empty() ? name : siblings);
  }
  return static_cast<int>(cores.size());
}

}  // namespace

std::vector<int> allowed_processors() {
  constexpr int kMost = 1 << 16;
  // The kernel refuses a mask that is smaller than its own, whose size it does not tell.
  for (int size = 1024; size <= kMost; size *= 2) {
    const auto release = [](cpu_set_t* set) { CPU_FREE(set); };
    const std::unique_ptr<cpu_set_t, decltype(release)> set(CPU_ALLOC(size), release);
    const std::size_t bytes = CPU_ALLOC_SIZE(size);
    if (!set || ::sched_getaffinity(0, bytes, set.get()) != 0) continue;
    std::vector<int> allowed;
    for (int i = 0; i < size; ++i)
      if (CPU_ISSET_S(static_cast<std::size_t>(i), bytes, set.get())) allowed.push_back(i);
    if (!allowed.empty()) return allowed;
  }
  return {0};
}

Processors read_processors(const std::vector<int>& allowed, const fs::path& root) {
  Processors processors;
  processors.allowed = std::max(1, static_cast<int>(allowed.size()));
  processors.cores = std::max(1, count_cores(allowed, root));
  processors.quota = smallest_quota(root);
  return processors;
}

int compute_threads(const Processors& processors, int share) {
  int threads = processors.cores;
  if (processors.quota > 0)  // compared before rounding: a quota may be larger than an int
    threads = static_cast<int>(std::lround(std::min<double>(threads, processors.quota)));
  return std::max(1, threads / std::max(1, share));
}

}  // namespace waggle::pipeline
