// Names to models.
#include "pipeline/engine/model_store.h"

#include "pipeline/engine/failure.h"

namespace waggle::pipeline {

ModelStore::ModelStore(ModelShelf& shelf, std::int64_t most_bytes, Maker maker, Log log)
    : shelf_(shelf), most_bytes_(most_bytes), maker_(std::move(maker)), log_(std::move(log)) {}

Result<ModelStore::Model> ModelStore::load(const std::filesystem::path& path, const std::string& name) {
  const std::lock_guard one_at_a_time(load_mutex_);
  if (auto model = find(name)) return model;
  std::filesystem::path from = path;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(name); known != known_.end()) from = known->second.path;
  }
  return make(from, name);
}

Result<ModelStore::Model> ModelStore::get(const std::string& name) {
  if (!knows(name)) return Error{ErrorCode::unknown_model, "the model is not loaded"};
  return load({}, name);
}

Result<ModelStore::Model> ModelStore::make(const std::filesystem::path& path, const std::string& name) {
  try {
    const ModelFiles files = maker_.find(path);
    const std::int64_t bytes = maker_.weigh(files);
    if (bytes > most_bytes_)
      return Error{ErrorCode::out_of_memory, "the model needs about " + std::to_string(bytes >> 20) +
                                                 " MiB, the memory for models is " +
                                                 std::to_string(most_bytes_ >> 20) + " MiB"};
    shelf_.make_room(bytes);
    Model model = maker_.build(files, name);
    shelf_.put(model);
    const std::lock_guard lock(mutex_);
    known_[name] = {path, model};
    return model;
  } catch (...) {
    auto failure = failure_of(std::current_exception());
    if (log_) log_(name + ": " + failure.detail);
    return std::move(failure.error);
  }
}

ModelStore::Model ModelStore::find(const std::string& name) {
  Model model;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(name); known != known_.end()) model = known->second.model.lock();
  }
  if (model) shelf_.put(model);
  return model;
}

bool ModelStore::knows(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(name);
}

std::int64_t ModelStore::bytes(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  if (known == known_.end()) return 0;
  const auto model = known->second.model.lock();
  return model ? model->bytes : 0;
}

ModelStore::Model ModelStore::forget(const std::string& name) {
  Model last;
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known == known_.end()) return nullptr;
    last = known->second.model.lock();
    known_.erase(known);
  }
  if (last) shelf_.drop(last);
  return last;
}

std::int64_t weight_bytes(const ModelFiles& files, const ModelOperations& operations) {
  const auto bytes = [](const PartFiles& part, const ops::Operations& with) {
    return with.weight_bytes(part.open()->elements());
  };
  std::int64_t total = bytes(files.unet, *operations.unet) + bytes(files.vae, *operations.vae);
  for (const PartFiles& encoder : files.text_encoders) total += bytes(encoder, *operations.text);
  return total;
}

}  // namespace waggle::pipeline
