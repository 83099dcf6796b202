// The engine: one thread that owns the device and moves all running images on, one shared UNet call at a
// time.
//
// Each turn: take up new jobs, drop cancelled ones, start images while there is room, ask the UNet for the
// images of one group (model, latent size, text length), hand out the answers, decode what is done. A job
// that throws is thrown out alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "pipeline/engine/controlnets.h"
#include "pipeline/engine/finisher.h"
#include "pipeline/engine/job.h"
#include "pipeline/engine/model_variants.h"
#include "pipeline/engine/step_clock.h"
#include "pipeline/engine/variant_builder.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline {

class Pipeline::Engine {
 public:
  explicit Engine(Options options);
  ~Engine();

  Result<ModelDescription> load(const std::filesystem::path& path, const std::string& name);
  void unload(const std::string& name);
  [[nodiscard]] std::int64_t model_bytes(const std::string& name) const;
  Ticket render(RenderJob job);
  void cancel(Ticket ticket);
  [[nodiscard]] EngineStats stats() const;
  [[nodiscard]] std::string precision() const;

 private:
  using JobPointer = std::shared_ptr<EngineJob>;

  // On the builder's thread.
  void choose_variant(EngineJob& job);
  void deliver(JobPointer job);

  // On the engine's thread.
  void run();
  bool wait_for_work();
  void take_up(const JobPointer& job);
  void start_image(const JobPointer& job);
  void start_images();
  void drop_cancelled();
  void turn();
  [[nodiscard]] std::vector<ActiveImage*> next_group();
  void answer(const std::vector<ActiveImage*>& group);
  void move_on(ActiveImage& image);
  void finish_image(ActiveImage& image);
  void after_step(EngineJob& job, int index, int evaluation, const at::Tensor& latents);
  void finish_job(const JobPointer& job);
  void fail(const JobPointer& job, Error error);
  void end(const JobPointer& job, Result<RenderSummary> result);

  [[nodiscard]] std::shared_ptr<const LoadedModel> find_model(const std::string& name) const;

  Options options_;
  at::ScalarType dtype_;
  ModelOperations operations_;

  std::mutex load_mutex_;  // one load at a time; never held by the engine's thread
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<const LoadedModel>, std::less<>> models_;
  std::deque<JobPointer> inbox_;
  std::map<Ticket, std::weak_ptr<EngineJob>> tickets_;
  Ticket last_ticket_ = 0;
  bool stopping_ = false;

  std::vector<JobPointer> jobs_;  // taken up, not ended; in order of arrival
  std::vector<std::unique_ptr<ActiveImage>> active_;
  ContextCache contexts_;
  std::optional<ControlNets> controlnets_;  // set once the operations are known
  StepClock clock_;

  Finisher finisher_;
  std::unique_ptr<ModelVariants> variants_;
  std::unique_ptr<VariantBuilder> builder_;
  std::thread thread_;  // last: starts when everything else stands
};

}  // namespace waggle::pipeline
