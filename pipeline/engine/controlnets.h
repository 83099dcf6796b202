// The ControlNets of a worker: loaded from its folder when jobs name them, kept by content while they fit,
// the longest unused given up first.
//
// Loads on the caller's thread, one call at a time.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/adapters/adapter_folder.h"
#include "pipeline/engine/control.h"
#include "pipeline/engine/job.h"
#include "pipeline/image/picture.h"
#include "pipeline/weights/content_hashes.h"
#include "schemas/result.h"

namespace waggle::pipeline {

class ControlNets {
 public:
  using Nets = std::vector<std::shared_ptr<const ControlNet>>;

  /// `dir` empty: no ControlNet is found. `budget_bytes`: of those that are kept; a larger one is refused.
  ControlNets(std::filesystem::path dir, std::int64_t budget_bytes,
              std::shared_ptr<const ops::Operations> operations, std::shared_ptr<ContentHashes> hashes);

  /// The nets that a job names, in its order.
  /// **Errors**: unknown_adapter, invalid_request (made for another model, broken), out_of_memory with both
  /// numbers; each with the field's path.
  Result<Nets> get(const JobRequest& request, const LoadedModel& model);

  [[nodiscard]] std::int64_t bytes() const;  ///< of those that are kept

 private:
  struct Kept {
    std::string key;
    std::shared_ptr<const ControlNet> net;
    std::int64_t bytes;
  };
  std::shared_ptr<const ControlNet> load(const std::filesystem::path& path, const LoadedModel& model);
  void make_room(std::int64_t bytes);

  AdapterFolder folder_;
  std::int64_t budget_bytes_;
  std::shared_ptr<const ops::Operations> operations_;
  std::shared_ptr<ContentHashes> hashes_;
  std::list<Kept> kept_;  // most recent first
};

/// What a job's images are controlled by. `nets` and `pictures`: one per control of the request.
std::vector<Control> make_controls(const JobRequest& request, const ControlNets::Nets& nets,
                                   const std::vector<Picture>& pictures, int width, int height);

}  // namespace waggle::pipeline
