// A worker as it describes itself in its heartbeat (`workers/<worker_id>/`) and in the ledger's registry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/ids.h"

namespace waggle {

enum class WorkerState : std::uint8_t { starting, idle, busy, draining, broken, stopped };
std::string_view name(WorkerState state) noexcept;
std::optional<WorkerState> worker_state_from_name(std::string_view name) noexcept;

/// A model that a worker can serve. `loaded` says whether its weights are in memory now.
struct ModelInfo {
  std::string name;
  std::string
      family;  ///< "sd15", "sd15-inpaint", "sd21", "sd21-inpaint", "sdxl", "sdxl-inpaint", "turbo", ...
  std::vector<std::string> aliases;
  bool loaded = false;
  std::int64_t bytes = 0;  ///< weights in memory, 0 when not loaded
  bool operator==(const ModelInfo&) const = default;
};

/// The files beside the models that requests may name, by the names that they may use.
struct AdapterLists {
  std::vector<std::string> loras, embeddings, vaes, controlnets;
  bool operator==(const AdapterLists&) const = default;
};

struct WorkerInfo {
  WorkerId id;
  WorkerState state = WorkerState::starting;
  std::string version;      ///< of the program
  std::string device;       ///< "cpu", "cuda:0", "metal:0"
  std::string device_name;  ///< "AMD EPYC, 2 threads", "NVIDIA H100"
  std::string precision;    ///< "fp32", "bf16", "fp16"
  std::vector<ModelInfo> models;
  std::vector<std::string> samplers;  ///< names and aliases that it takes; empty: it does not say
  std::vector<std::string> schedules;
  AdapterLists adapters;              ///< at most limits::kMaxListedAdapters of a kind
  std::vector<JobId> jobs;            ///< in hand
  int capacity = 1;                   ///< jobs it takes at once
  std::optional<double> steps_per_s;  ///< recent mean
  std::int64_t memory_used_bytes = 0, memory_total_bytes = 0;
  std::int64_t jobs_done = 0, jobs_failed = 0;  ///< since its start
  std::int64_t started_at_ms = 0, seen_at_ms = 0;
  std::int64_t malformed_messages = 0;  ///< dropped since its start
  bool operator==(const WorkerInfo&) const = default;
};

}  // namespace waggle
