// Opening a part, by way of the cache.
#include "pipeline/models/part_weights.h"

namespace waggle::pipeline {
namespace {

std::unique_ptr<CachedWeights> kept(const PartFiles& files, const ops::Operations& operations,
                                    WeightCache* cache) {
  if (cache == nullptr || files.content.files.empty() || !operations.activations().device().is_cpu())
    return nullptr;
  const PartContent& content = files.content;
  std::string making = content.place + '\n' + files.config.json().dump() + '\n';
  making.append(operations.name())
      .append(" ")
      .append(at::toString(operations.activations().dtype().toScalarType()));
  return cache->open({content.files, making + '\n' + ops::weight_layouts()});
}

}  // namespace

PartWeights::PartWeights(const PartFiles& files, const ops::Operations& operations, WeightCache* cache)
    : source_(files.open()), kept_(kept(files, operations, cache)) {
  if (!kept_ || !kept_->found()) source_->will_read();
}

void PartWeights::loaded() const {
  if (kept_) kept_->loaded();
}

}  // namespace waggle::pipeline
