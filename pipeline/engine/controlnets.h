// The ControlNets of a worker: loaded from its folder when a job names them, the most recent ones kept.
//
// Used by the engine's thread alone; loading one makes the running batch wait.
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/engine/control.h"
#include "pipeline/image/picture.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

class ControlNets {
 public:
  /// `dir` empty: no ControlNet is found.
  ControlNets(std::filesystem::path dir, std::shared_ptr<const ops::Operations> operations)
      : dir_(std::move(dir)), operations_(std::move(operations)) {}

  /// What a job's images are controlled by. `pictures`: one per control of the request.
  /// **Errors**: unknown_adapter, invalid_request (made for another model), both with the field's path.
  /// Throws LoadError for broken files.
  Result<std::vector<Control>> make(const JobRequest& request, const std::vector<Picture>& pictures,
                                    int width, int height, const UNetConfig& unet);

 private:
  using Named = std::pair<std::string, std::shared_ptr<const ControlNet>>;
  std::shared_ptr<const ControlNet> find(const std::string& name);

  std::filesystem::path dir_;
  std::shared_ptr<const ops::Operations> operations_;
  std::list<Named> loaded_;  // most recent first
};

}  // namespace waggle::pipeline
