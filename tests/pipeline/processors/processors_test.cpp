// Machines and containers as folders of files, and the real affinity of child processes.
#include "pipeline/engine/processors.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace waggle::pipeline;
namespace fs = std::filesystem;

namespace {

const std::string kTop = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kFour = "0,1,2,3";

/// A folder with proc and sys of a machine, gone with this object.
class Machine {
 public:
  Machine() {
    std::string pattern = (fs::temp_directory_path() / "waggle-machine-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder " + pattern);
    root_ = pattern;
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() { fs::remove_all(root_); }

  Machine& file(const std::string& path, const std::string& text) {
    const fs::path file = root_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return *this;
  }
  /// A process in `group` of version 2, as a machine with systemd shows it.
  Machine& in_group(const std::string& group) {
    return file("proc/self/mountinfo", "21 23 0:20 / /proc rw - proc proc rw\n" + kTop)
        .file("proc/self/cgroup", "0::" + group + "\n");
  }
  Machine& quota(const std::string& group, const std::string& text) {
    return file("sys/fs/cgroup" + group + "/cpu.max", text);
  }
  Machine& siblings(int processor, const std::string& list) {
    return file("sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/thread_siblings_list",
                list + "\n");
  }
  [[nodiscard]] Processors read(const std::vector<int>& allowed = {0, 1, 2, 3}) const {
    return read_processors(allowed, root_);
  }
  [[nodiscard]] int threads(const std::vector<int>& allowed = {0, 1, 2, 3}) const {
    return compute_threads(read(allowed));
  }

 private:
  fs::path root_;
};

/// What `body` returns in a child process, so that its affinity is not this one's.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("processors: without a quota or SMT each one that is allowed computes") {
  Machine machine;
  CHECK(machine.threads() == 4);  // not even /proc is there
  machine.in_group("/").quota("", "max 100000\n");
  CHECK(machine.read().quota == 0);
  CHECK(machine.threads() == 4);
}

TEST_CASE("processors: a quota of 150 % is one and a half, and rounds to two") {
  Machine machine;
  machine.in_group("/").quota("", "150000 100000\n");
  CHECK(machine.read().quota == Approx(1.5));
  CHECK(machine.threads() == 2);
  CHECK(machine.threads({3}) == 1);  // the affinity is smaller
  machine.quota("", "120000 100000\n");
  CHECK(machine.threads() == 1);
  machine.quota("", "20000 100000\n");
  CHECK(machine.threads() == 1);
  machine.quota("", "9000000000000 1000\n");
  CHECK(machine.threads() == 4);
}

TEST_CASE("processors: a malformed quota limits nothing") {
  const std::string text = GENERATE("", "\n", "150000", "many 100000", "150000 often", "-1 100000",
                                    "150000 0", "0 100000", "99999999999999999999999 1");
  INFO(text);
  Machine machine;
  machine.in_group("/").quota("", text);
  CHECK(machine.threads() == 4);
}

TEST_CASE("processors: of nested groups the smallest quota holds, wherever it is") {
  Machine machine;
  machine.in_group("/pool.slice/worker.service");
  machine.quota("/pool.slice", "300000 100000").quota("/pool.slice/worker.service", "max 100000");
  CHECK(machine.threads() == 3);
  machine.quota("/pool.slice/worker.service", "200000 100000");
  CHECK(machine.threads() == 2);
  machine.quota("/pool.slice", "100000 100000");
  CHECK(machine.threads() == 1);
  machine.quota("/other.slice", "50000 100000");  // somebody else's
  CHECK(machine.read().quota == Approx(1));
}

TEST_CASE("processors: a group outside of what is mounted is not followed") {
  Machine machine;
  machine.in_group("/../neighbour").quota("", "200000 100000").quota("/neighbour", "100000 100000");
  CHECK(machine.threads() == 2);
}

TEST_CASE("processors: control groups of version 1, in a container that sees the host's path") {
  Machine machine;
  machine.file("proc/self/cgroup", "12:pids:/docker/ab12\n4:cpu,cpuacct:/docker/ab12\n0::/docker/ab12\n");
  machine.file(
      "proc/self/mountinfo",
      "40 30 0:29 /docker/ab12 /sys/fs/cgroup/cpu,cpuacct ro master:11 - cgroup cgroup "
      "rw,cpu,cpuacct\n41 30 0:30 /docker/ab12 /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n");
  const std::string group = "sys/fs/cgroup/cpu,cpuacct/";
  machine.file(group + "cpu.cfs_quota_us", "250000\n").file(group + "cpu.cfs_period_us", "100000\n");
  CHECK(machine.read().quota == Approx(2.5));
  CHECK(machine.threads() == 3);
  machine.file(group + "cpu.cfs_quota_us", "-1\n");
  CHECK(machine.threads() == 4);
}

TEST_CASE("processors: where both versions are mounted, the one that has the quota counts") {
  Machine machine;
  machine.file("proc/self/cgroup", "1:cpu:/jobs\n0::/\n");
  machine.file("proc/self/mountinfo",
               "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
               "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  machine.file("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "200000");
  machine.file("sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000");
  CHECK(machine.threads() == 2);
}

TEST_CASE("processors: SMT siblings are one core") {
  Machine machine;
  machine.siblings(0, "0,2").siblings(1, "1,3").siblings(2, "0,2").siblings(3, "1,3");
  CHECK(machine.read().allowed == 4);
  CHECK(machine.read().cores == 2);
  CHECK(machine.threads() == 2);
  CHECK(machine.threads({0, 1}) == 2);
  CHECK(machine.threads({0, 2}) == 1);
  machine.in_group("/").quota("", "300000 100000");  // more time than cores
  CHECK(machine.threads() == 2);
}

TEST_CASE("processors: workers on one machine take equal parts, and each at least one") {
  Processors processors;
  processors.cores = 8;
  CHECK(compute_threads(processors, 1) == 8);
  CHECK(compute_threads(processors, 2) == 4);
  CHECK(compute_threads(processors, 3) == 2);  // never more threads than cores
  CHECK(compute_threads(processors, 20) == 1);
  processors.quota = 3.6;
  CHECK(compute_threads(processors, 2) == 2);
}

TEST_CASE("processors: a process under taskset has what taskset left it") {
  const std::vector<int> here = allowed_processors();
  REQUIRE_FALSE(here.empty());
  for (const int processor : here) {
    CHECK(in_child([&] {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(static_cast<std::size_t>(processor), &one);
            if (::sched_setaffinity(0, sizeof one, &one) != 0) return 2;
            const std::vector<int> left = allowed_processors();
            return left == std::vector<int>{processor} && compute_threads(read_processors(left)) == 1 ? 0 : 1;
          }) == 0);
  }
  CHECK(allowed_processors() == here);
}
