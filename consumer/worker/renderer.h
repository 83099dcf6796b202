// What the worker asks of whatever makes the pictures. The real one is pipeline_renderer.h; null_renderer.h
// takes its time and makes none, so that the queue can be tested and measured without a model.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/pipeline.h"
#include "schemas/worker_info.h"

namespace waggle::worker {

/// What a renderer says of itself; the worker's heartbeat carries it.
struct Description {
  std::string device, device_name, precision;  ///< as in WorkerInfo
  std::vector<ModelInfo> models;
  std::vector<std::string> samplers, schedules;  ///< names and aliases
  AdapterLists adapters = {};
};

/// Thread-safe. Anything may throw: the worker's job boundary takes it.
class Renderer {
 public:
  virtual ~Renderer() = default;

  [[nodiscard]] virtual Description describe() const = 0;
  /// Brings the model of this name or alias into memory; at once when it is there. Blocks meanwhile.
  virtual Status load(const std::string& model) = 0;
  virtual void unload(const std::string& model) = 0;
  /// As pipeline::Pipeline::render; the model has been loaded.
  virtual pipeline::Ticket render(pipeline::RenderJob job) = 0;
  virtual void cancel(pipeline::Ticket ticket) = 0;
  [[nodiscard]] virtual pipeline::EngineStats stats() const = 0;
};

}  // namespace waggle::worker
