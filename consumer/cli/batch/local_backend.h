// A run's jobs in this process: many at once into one engine, so that they share its UNet calls.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "consumer/cli/batch/backend.h"
#include "pipeline/pipeline.h"

namespace waggle::cli::batch {

class LocalBackend final : public Backend {
 public:
  /// `pipeline` has loaded the model of that name, which renders every job.
  LocalBackend(pipeline::Pipeline& pipeline, std::string model);
  /// Cancels what runs.
  ~LocalBackend() override;

  void submit(Task task) override;
  Result<std::vector<Happening>> wait(std::chrono::milliseconds timeout) override;
  void stop() override;

 private:
  struct Desk;
  pipeline::Pipeline& pipeline_;
  const std::string model_;
  std::shared_ptr<Desk> desk_;
  std::map<std::size_t, pipeline::Ticket> tickets_;
};

}  // namespace waggle::cli::batch
