// Finding, loading and keeping ControlNets.
#include "pipeline/engine/controlnets.h"

#include <algorithm>

#include "pipeline/engine/failure.h"
#include "pipeline/engine/source_pictures.h"
#include "pipeline/models/controlnet_files.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

/// Larger than what there is room for.
class TooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace

ControlNets::ControlNets(std::filesystem::path dir, std::int64_t budget_bytes,
                         std::shared_ptr<const ops::Operations> operations,
                         std::shared_ptr<ContentHashes> hashes)
    : folder_(std::move(dir)),
      budget_bytes_(budget_bytes),
      operations_(std::move(operations)),
      hashes_(std::move(hashes)) {}

Result<ControlNets::Nets> ControlNets::get(const JobRequest& request, const LoadedModel& model) {
  Nets nets;
  for (std::size_t i = 0; i < request.controls.size(); ++i) {
    const std::string& name = request.controls[i].path;
    const std::string field = "/controls/" + std::to_string(i) + "/path";
    auto path = folder_.folder(name);
    if (!path) path = folder_.file(name);
    if (!path)
      return Error{ErrorCode::unknown_adapter,
                   "there is no such ControlNet",
                   {{field, "is not in the ControlNet folder"}}};
    try {
      nets.push_back(load(*path, model));
    } catch (const LoadError& error) {
      return invalid_request({{field, error.what()}});
    } catch (const TooLarge& error) {
      return Error{ErrorCode::out_of_memory, error.what(), {{field, error.what()}}};
    } catch (...) {
      return failure_of(std::current_exception()).error;
    }
    if (!nets.back()->fits(model.model->unet().config()))
      return invalid_request({{field, "was made for another kind of model"}});
  }
  return nets;
}

std::shared_ptr<const ControlNet> ControlNets::load(const std::filesystem::path& path,
                                                    const LoadedModel& model) {
  std::string key;
  for (const auto& file : files_of_controlnet(path)) key += hashes_->of(file) + ' ';
  // What a single file leaves open comes from the model.
  const bool alone = !std::filesystem::is_directory(path);
  if (alone) key += model.files.unet.config.json().dump();
  const auto known = std::ranges::find(kept_, key, &Kept::key);
  if (known != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, known);
    return known->net;
  }
  const PartFiles files = find_controlnet_files(path, alone ? &model.files.unet.config : nullptr);
  make_room(files.bytes);
  kept_.push_front({std::move(key), load_controlnet(files, operations_), files.bytes});
  return kept_.front().net;
}

void ControlNets::make_room(std::int64_t bytes) {
  if (bytes > budget_bytes_)
    throw TooLarge("the ControlNet takes " + std::to_string(bytes >> 20) +
                   " MiB, the budget for ControlNets is " + std::to_string(budget_bytes_ >> 20) + " MiB");
  // Before loading; those that jobs use live on as long as the jobs.
  while (!kept_.empty() && this->bytes() + bytes > budget_bytes_) kept_.pop_back();
}

std::int64_t ControlNets::bytes() const {
  std::int64_t total = 0;
  for (const Kept& kept : kept_) total += kept.bytes;
  return total;
}

std::vector<Control> make_controls(const JobRequest& request, const ControlNets::Nets& nets,
                                   const std::vector<Picture>& pictures, int width, int height) {
  std::vector<Control> controls;
  for (std::size_t i = 0; i < request.controls.size(); ++i) {
    const ControlInput& wanted = request.controls[i];
    const auto& net = nets.at(i);
    controls.push_back({net, net->embed(rgb_tensor(pictures.at(i), width, height)), wanted.strength,
                        wanted.start, wanted.end, wanted.guess_mode});
  }
  return controls;
}

}  // namespace waggle::pipeline
