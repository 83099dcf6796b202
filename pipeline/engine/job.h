// One job inside the engine, from render() to its end. Touched by the engine's thread alone, but for the
// cancel flag.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/engine/image_run.h"
#include "pipeline/engine/paste_back.h"
#include "pipeline/engine/resolve.h"
#include "pipeline/engine/stage.h"

namespace waggle::pipeline {

struct LoadedModel {
  ModelDescription description;
  ModelFiles files;            ///< of the base, also where LoRAs are added
  ModelOperations operations;  ///< that the model was built with
  std::unique_ptr<const StableDiffusion> model;
  /// Equal for models whose text encoders are equal, whatever else differs. For the cache of encodings.
  std::string text_identity;
  std::int64_t bytes = 0;  ///< of its weights in memory
};

struct EngineJob {
  using Clock = std::chrono::steady_clock;

  EngineJob(Ticket number, RenderJob what) : ticket(number), job(std::move(what)) {}

  const Ticket ticket;
  RenderJob job;
  std::atomic<bool> cancelled = false;

  // Set before the engine sees the job. Whoever holds a model keeps it in memory: `base` is what `model` was
  // made of, which may be itself.
  std::shared_ptr<const LoadedModel> base, model, refiner;
  std::vector<std::shared_ptr<const ControlNet>> control_nets;  ///< one per control of the request
  std::vector<PromptEmbedding> embeddings;                      ///< that the prompts name
  std::vector<PromptEmbedding> refiner_embeddings;              ///< the same, as the refiner reads them
  std::optional<Error> refusal;

  // From here on: filled in when the engine takes the job up.
  Resolved resolved;
  std::vector<Stage> stages;
  SourcePictures source;
  std::optional<PasteBack> paste_back;
  std::vector<int> pending;  ///< image indices that have not started, last first
  int images_in_hand = 0;    ///< started and not yet decoded
  int evaluations_done = 0, evaluations_total = 0;
  Clock::time_point received = Clock::now(), started{}, encoded{};
  double decode_s = 0;
  bool ended = false;

  [[nodiscard]] bool finished() const { return pending.empty() && images_in_hand == 0; }
};

/// An image of a job that takes part in UNet calls.
struct ActiveImage {
  std::shared_ptr<EngineJob> job;
  int index = 0;
  std::size_t place = 0;  ///< of the stage that it is in
  std::unique_ptr<ImageRun> run;

  [[nodiscard]] const Stage& stage() const { return job->stages[place]; }
};

}  // namespace waggle::pipeline
