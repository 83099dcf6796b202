// How many threads are to compute: what the kernel really gives this process, not what the machine has.
//
// Reads and counts; it pins nothing, since the kernel places threads better than a mask drawn at start. Of a
// worker's processors none is kept free for its queue: its other threads sleep, and one that sleeps comes in
// front of threads that compute within a slice (about 6 ms, measured). On processors with SMT the siblings
// stay free for them anyway.
#pragma once

#include <filesystem>
#include <vector>

namespace waggle::pipeline {

struct Processors {
  int allowed = 1;   ///< in the affinity mask, which cpusets narrow too
  int cores = 1;     ///< physical ones among them: SMT siblings share the units that multiply
  double quota = 0;  ///< processors' worth of time that the control groups grant; 0: no limit
};

/// The calling thread's affinity: numbers of processors, ascending, at least one.
std::vector<int> allowed_processors();

/// `root`: the folder in which proc and sys are. What is missing or malformed there limits nothing.
Processors read_processors(const std::vector<int>& allowed, const std::filesystem::path& root = "/");

/// One of `share` equal parts, at least 1. A quota is rounded to the nearest number, so that half of a
/// processor's time and more is used, and less is left to the threads that do not compute.
int compute_threads(const Processors& processors, int share = 1);

}  // namespace waggle::pipeline
