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

#include "pipeline/engine/adapters.h"
#include "pipeline/engine/finisher.h"
#include "pipeline/engine/job.h"
#include "pipeline/engine/model_store.h"
#include "pipeline/engine/previews.h"
#include "pipeline/engine/step_clock.h"
#include "pipeline/engine/variant_builder.h"
#include "pipeline/pipeline.h"
#include "pipeline/weights/weight_cache.h"

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
  [[nodiscard]] int threads() const { return threads_; }
  [[nodiscard]] std::string precision() const;

 private:
  using JobPointer = std::shared_ptr<EngineJob>;

  // On the builder's thread.
  void fit(EngineJob& job);
  Status fit_refiner(EngineJob& job);
  void deliver(JobPointer job);

  // On the engine's thread.
  void run();
  bool wait_for_work();
  void take_up(const JobPointer& job);
  void start_image(const JobPointer& job);
  void start_images();
  void drop_cancelled();
  void end_cancelled();
  void turn();
  [[nodiscard]] std::vector<ActiveImage*> next_group();
  void answer(const std::vector<ActiveImage*>& group);
  void move_on(ActiveImage& image);
  [[nodiscard]] std::unique_ptr<ImageRun> enter_stage(ActiveImage& image);
  bool next_stage(ActiveImage& image);
  void finish_image(ActiveImage& image);
  void after_step(const ActiveImage& image, int evaluation, const at::Tensor& latents);
  void finish_job(const JobPointer& job);
  void fail(const JobPointer& job, Error error);
  void end(const JobPointer& job, Result<RenderSummary> result);

  /// What a call or a decode may take beside the weights that are in memory now.
  [[nodiscard]] std::int64_t activation_budget() const;
  [[nodiscard]] VaeBounds vae_bounds(const EngineJob& job);
  [[nodiscard]] std::int64_t call_bytes(const Stage& stage, std::int64_t rows) const;

  [[nodiscard]] std::shared_ptr<const ops::Operations> vae_operations(const VaeConfig& config) const;
  [[nodiscard]] ModelOperations operations_for(const ModelFiles& files) const;
  [[nodiscard]] std::shared_ptr<const LoadedModel> build_model(const ModelFiles& files,
                                                               const std::string& name);
  [[nodiscard]] std::unique_ptr<ModelStore> make_store(std::int64_t most_bytes);

  Options options_;
  at::ScalarType dtype_;
  int threads_ = 0;
  ModelOperations operations_;

  bool budget_shrinks_ = false;  // with the weights that are in memory: the budget was not given
  std::optional<WeightCache> cache_;
  std::optional<ModelShelf> shelf_;
  std::unique_ptr<ModelStore> store_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<JobPointer> inbox_;
  std::map<Ticket, std::weak_ptr<EngineJob>> tickets_;
  Ticket last_ticket_ = 0;
  bool stopping_ = false;

  std::vector<JobPointer> jobs_;  // taken up, not ended; in order of arrival
  std::vector<std::unique_ptr<ActiveImage>> active_;
  ContextCache contexts_;
  std::optional<Previews> previews_;  // set once the operations are known
  EncodingCache encodings_;
  StepClock clock_;

  Finisher finisher_;
  std::unique_ptr<Adapters> adapters_;
  std::unique_ptr<VariantBuilder> builder_;
  std::thread thread_;  // last: starts when everything else stands
};

}  // namespace waggle::pipeline
