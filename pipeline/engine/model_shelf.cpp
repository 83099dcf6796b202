// Keeping and giving up models.
#include "pipeline/engine/model_shelf.h"

#include <algorithm>

#include "pipeline/engine/job.h"

namespace waggle::pipeline {

std::int64_t ModelShelf::total() const {
  std::int64_t bytes = 0;
  for (const Model& model : kept_) bytes += model->bytes;
  return bytes;
}

ModelShelf::List ModelShelf::evicted_for(std::int64_t bytes) {
  List given_up;
  std::int64_t left = total() + bytes;
  for (auto it = kept_.end(); it != kept_.begin() && left > limit_bytes_;) {
    --it;
    if (it->use_count() > 1) continue;  // a job's, or somebody is about to make one of it
    const auto gone = it++;
    left -= (*gone)->bytes;
    given_up.splice(given_up.end(), kept_, gone);
  }
  return given_up;
}

void ModelShelf::make_room(std::int64_t bytes) {
  List given_up;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  given_up = evicted_for(bytes);
}

void ModelShelf::put(const Model& model) {
  List given_up;
  const std::lock_guard lock(mutex_);
  kept_.remove(model);
  kept_.push_front(model);
  given_up = evicted_for(0);  // not this one: the caller holds it
}

void ModelShelf::drop(const Model& model) {
  List given_up;
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(kept_, model);
  if (found != kept_.end()) given_up.splice(given_up.end(), kept_, found);
}

std::int64_t ModelShelf::bytes() const {
  const std::lock_guard lock(mutex_);
  return total();
}

std::size_t ModelShelf::size() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

}  // namespace waggle::pipeline
