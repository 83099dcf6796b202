// Finding, loading and keeping ControlNets.
#include "pipeline/engine/controlnets.h"

#include <algorithm>

#include "pipeline/engine/source_pictures.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

/// A full-size one takes 0.7 GB (SD 1.x) to 2.5 GB (SDXL) in half precision.
constexpr std::size_t kMostKept = 2;

}  // namespace

std::shared_ptr<const ControlNet> ControlNets::find(const std::string& name) {
  const auto known = std::ranges::find(loaded_, name, &Named::first);
  if (known != loaded_.end()) {
    loaded_.splice(loaded_.begin(), loaded_, known);
    return known->second;
  }
  if (dir_.empty() || !std::filesystem::is_directory(dir_ / name)) return nullptr;
  if (loaded_.size() >= kMostKept) loaded_.pop_back();  // before loading: jobs that use it keep it alive
  loaded_.emplace_front(name, load_controlnet(dir_ / name, operations_));
  return loaded_.front().second;
}

Result<std::vector<Control>> ControlNets::make(const JobRequest& request,
                                               const std::vector<Picture>& pictures, int width, int height,
                                               const UNetConfig& unet) {
  std::vector<Control> controls;
  for (std::size_t i = 0; i < request.controls.size(); ++i) {
    const ControlInput& wanted = request.controls[i];
    const std::string path = "/controls/" + std::to_string(i) + "/path";
    const auto net = find(wanted.path);
    if (!net)
      return Error{ErrorCode::unknown_adapter,
                   "there is no such ControlNet",
                   {{path, "is not in the ControlNet folder"}}};
    if (!net->fits(unet)) return invalid_request({{path, "was made for another kind of model"}});
    controls.push_back({net, net->embed(rgb_tensor(pictures.at(i), width, height)), wanted.strength,
                        wanted.start, wanted.end, wanted.guess_mode});
  }
  return controls;
}

}  // namespace waggle::pipeline
