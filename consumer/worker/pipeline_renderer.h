// The renderer that makes pictures: the models of a machine over pipeline::Pipeline.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "consumer/worker/renderer.h"
#include "pipeline/catalogue.h"

namespace waggle::worker {

class PipelineRenderer final : public Renderer {
 public:
  /// Loads nothing yet. Throws std::runtime_error when the device is missing.
  PipelineRenderer(pipeline::Options options, std::vector<pipeline::Catalogue::Entry> models);

  [[nodiscard]] Description describe() const override;
  Status load(const std::string& model) override;
  void unload(const std::string& model) override;
  pipeline::Ticket render(pipeline::RenderJob job) override;
  void cancel(pipeline::Ticket ticket) override { pipeline_.cancel(ticket); }
  [[nodiscard]] pipeline::EngineStats stats() const override { return pipeline_.stats(); }

 private:
  [[nodiscard]] const pipeline::Catalogue::Entry* find(std::string_view name) const;

  const std::vector<pipeline::Catalogue::Entry> models_;
  const pipeline::Device device_;
  const pipeline::Folders folders_;
  pipeline::Pipeline pipeline_;
};

}  // namespace waggle::worker
