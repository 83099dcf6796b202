// The public face: hands everything to the engine.
#include "pipeline/pipeline.h"

#include "pipeline/engine/engine.h"

namespace waggle::pipeline {

Pipeline::Pipeline(Options options) : engine_(std::make_unique<Engine>(std::move(options))) {}
Pipeline::~Pipeline() = default;

Result<ModelDescription> Pipeline::load(const std::filesystem::path& path, const std::string& name) {
  return engine_->load(path, name);
}
void Pipeline::unload(const std::string& name) { engine_->unload(name); }
std::int64_t Pipeline::model_bytes(const std::string& name) const { return engine_->model_bytes(name); }
Ticket Pipeline::render(RenderJob job) { return engine_->render(std::move(job)); }
void Pipeline::cancel(Ticket ticket) { engine_->cancel(ticket); }
EngineStats Pipeline::stats() const { return engine_->stats(); }
int Pipeline::threads() const { return engine_->threads(); }
std::string Pipeline::precision() const { return engine_->precision(); }

}  // namespace waggle::pipeline
