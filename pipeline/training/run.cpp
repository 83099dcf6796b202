// The stages of a run.
#include "pipeline/training/run.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include "pipeline/image/picture.h"
#include "pipeline/training/dice.h"
#include "pipeline/training/export.h"
#include "pipeline/training/latent_store.h"
#include "pipeline/training/pictures.h"
#include "pipeline/training/purposes.h"
#include "pipeline/training/reading.h"
#include "pipeline/training/recipe.h"
#include "pipeline/training/revival.h"
#include "pipeline/training/samples.h"
#include "pipeline/training/shards.h"
#include "pipeline/training/stages.h"

namespace waggle::training {
namespace {

namespace fs = std::filesystem;

constexpr int kWordScenes = 20000;  // enough to see every word hundreds of times
constexpr double kVaeRate = 2e-3, kDecoderRate = 1e-3, kReaderRate = 2e-3;
/// Autoencoder and decoder learn from quarters of pictures first: four times the steps, and edges and colours
/// are local matters.
constexpr double kCroppedShare = 0.4;
constexpr int kCrop = kSide / 2;
/// What a pixel of a figure counts in the decoder's finish. Grounds are easy, and most of the picture.
constexpr double kFigureCounts = 3.0;

/// The denoiser's text encoder is the one that has learned to read.
void begin_from(const Weights& reader, const std::map<std::string, at::Tensor>& denoiser) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : denoiser)
    if (name.starts_with("text/")) tensor.detach().copy_(reader.at(name.substr(5)));
}

/// Scenes with one figure on a plain ground, which say most clearly what a word means. They are most of the
/// lessons at first (RunSettings::easy_share), and no more than their share after kEasyUntil.
constexpr double kEasyUntil = 0.4;
std::vector<std::size_t> easy_scenes(const std::vector<Scene>& scenes) {
  std::vector<std::size_t> easy;
  for (std::size_t i = 0; i < scenes.size(); ++i)
    if (scenes[i].figures.size() == 1 && scenes[i].ground.kind == GroundKind::plain) easy.push_back(i);
  return easy;
}

/// The encoder can read when the two begin to learn together; it is refined, not taught again.
double pace_of(const std::string& name) {
  return name.starts_with("text/") || name.find("attn2") != std::string::npos ? 0.6 : 1.0;
}

/// Paddings behind the longest caption, until captions get the pipeline's full length for the last part: the
/// encoder says the same at each of them, and the text costs a third.
constexpr double kShortShare = 0.75;
constexpr std::size_t kShortPadding = 10;

LoopSettings loop_of(const RunSettings& run, const char* stage, const StageBudget& budget, double rate) {
  LoopSettings loop{stage, run.folder, budget.steps, budget.minutes, rate};
  loop.visit_seconds = 60 * run.sample_minutes;
  loop.again = run.extended.contains(stage);
  return loop;
}

bool is_done(const RunSettings& run, const char* stage) {
  return read_progress(run.folder, stage).finished && !run.extended.contains(stage);
}

pipeline::Tokenizer tokenizer_in(const fs::path& folder) {
  auto tokenizer = pipeline::Tokenizer::load(folder);
  if (!tokenizer) throw std::runtime_error(tokenizer.error().message);
  return std::move(*tokenizer);
}

Weights weights_under(const std::string& prefix, const std::map<std::string, at::Tensor>& all) {
  Weights part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  return part;
}

at::Generator noise_of(std::mt19937_64& generator) {
  return at::make_generator<at::CPUGeneratorImpl>(generator());
}

/// The averages that a stage's checkpoint holds, for parameters of these shapes.
Optimizer loaded(const RunSettings& run, const char* stage,
                 const std::map<std::string, at::Tensor>& parameters) {
  Optimizer optimizer(parameters, {});
  pipeline::FileWeights source({checkpoint_file(run.folder, stage)});
  optimizer.load(source);
  return optimizer;
}

/// The autoencoder's weights with those of the decoder's finish.
Weights finished_autoencoder(const RunSettings& run) {
  const Autoencoder model(run.seed, at::kBFloat16);
  Weights weights = loaded(run, kVae, model.parameters()).averaged();
  for (auto& [name, tensor] : loaded(run, kDecoder, decoder_of(model)).averaged()) weights[name] = tensor;
  return weights;
}

at::Tensor random_pictures(int count, std::mt19937_64& generator) {
  std::vector<Scene> scenes;
  for (int i = 0; i < count; ++i) scenes.push_back(random_scene(generator));
  return pictures_of(scenes);
}

void show_reconstructions(const RunSettings& run, const Autoencoder& model, Optimizer& optimizer,
                          const char* stage, const Progress& progress) {
  optimizer.swap_averages();
  std::vector<Scene> scenes;
  auto generator = generator_for(run.seed, kShownScenes, 0);
  for (int i = 0; i < 16; ++i) scenes.push_back(random_scene(generator));
  const auto sheet = contact_sheet(reconstructions(model, scenes, 8), 8);
  std::ofstream(run.folder / (std::string(stage) + "-" + std::to_string(progress.step) + ".png"),
                std::ios::binary)
      << pipeline::encode(sheet, OutputFormat::png);
  optimizer.swap_averages();
}

}  // namespace

Run::Run(RunSettings settings)
    : settings_(std::move(settings)), words_(learn_byte_pairs(caption_words(settings_.seed, kWordScenes))) {
  fs::create_directories(settings_.folder);
  write_tokenizer(words_, settings_.folder / "tokenizer");
  if (!settings_.from.empty()) revive(settings_.from, settings_.folder, settings_.seed);
}

bool Run::train(const std::atomic<bool>& stop) {
  return train_autoencoder(stop) && train_decoder(stop) && train_reader(stop) && train_denoiser(stop);
}

bool Run::train_autoencoder(const std::atomic<bool>& stop) {
  if (is_done(settings_, kVae)) return true;
  Autoencoder model(settings_.seed, at::kBFloat16);
  Optimizer optimizer(model.parameters(), {});
  const auto parameters = values(model.parameters());
  const int each = std::max(1, settings_.vae.batch / settings_.threads);
  const auto step = [&](std::int64_t n, double share) {
    Gradients gradients = differentiate(parameters, settings_.threads, [&](int shard) {
      auto generator = generator_for(settings_.seed, kAutoencoderSteps,
                                     static_cast<std::uint64_t>(n * settings_.threads + shard));
      at::Tensor pictures = random_pictures(each, generator);
      if (share < kCroppedShare) pictures = random_crops(pictures, kCrop, generator);
      return model.loss(pictures, noise_of(generator));
    });
    return StepResult{gradients.loss, std::move(gradients.of_each)};
  };
  return learn(
             loop_of(settings_, kVae, settings_.vae, kVaeRate), optimizer, step,
             [&](const Progress& progress) {
               show_reconstructions(settings_, model, optimizer, kVae, progress);
             },
             stop)
      .finished;
}

bool Run::train_decoder(const std::atomic<bool>& stop) {
  if (is_done(settings_, kDecoder)) return true;
  const Autoencoder model(settings_.seed, at::kBFloat16);
  loaded(settings_, kVae, model.parameters()).swap_averages();
  const auto tensors = decoder_of(model);
  Optimizer optimizer(tensors, {});
  const auto parameters = values(tensors);
  const int each = std::max(1, settings_.decoder.batch / settings_.threads);
  const auto step = [&](std::int64_t n, double share) {
    Gradients gradients = differentiate(parameters, settings_.threads, [&](int shard) {
      auto generator = generator_for(settings_.seed, kDecoderSteps,
                                     static_cast<std::uint64_t>(n * settings_.threads + shard));
      std::vector<Scene> scenes;
      std::vector<const Scene*> shown;
      scenes.reserve(static_cast<std::size_t>(each));
      for (int i = 0; i < each; ++i) shown.push_back(&scenes.emplace_back(harder_scene(generator)));
      at::Tensor both = at::cat({pictures_of(scenes), emphasis_on_figures(shown, kSide, kFigureCounts)}, 1);
      if (share < kCroppedShare) both = random_crops(both, kCrop, generator);
      return model.decoder_loss(both.narrow(1, 0, 3), both.narrow(1, 3, 1), noise_of(generator));
    });
    return StepResult{gradients.loss, std::move(gradients.of_each)};
  };
  return learn(
             loop_of(settings_, kDecoder, settings_.decoder, kDecoderRate), optimizer, step,
             [&](const Progress& progress) {
               show_reconstructions(settings_, model, optimizer, kDecoder, progress);
             },
             stop)
      .finished;
}

bool Run::train_reader(const std::atomic<bool>& stop) {
  if (is_done(settings_, kReader)) return true;
  const Reader model(settings_.seed, at::kBFloat16, tokenizer_in(settings_.folder / "tokenizer"));
  const auto tensors = model.parameters();
  Optimizer optimizer(tensors, {});
  const auto parameters = values(tensors);
  const int each = std::max(1, settings_.reader.batch / settings_.threads);
  const auto step = [&](std::int64_t n, double) {
    Gradients gradients = differentiate(parameters, settings_.threads, [&](int shard) {
      auto generator = generator_for(settings_.seed, kReaderSteps,
                                     static_cast<std::uint64_t>(n * settings_.threads + shard));
      return model.loss(each, generator);
    });
    return StepResult{gradients.loss, std::move(gradients.of_each)};
  };
  return learn(
             loop_of(settings_, kReader, settings_.reader, kReaderRate), optimizer, step,
             [](const Progress&) {}, stop)
      .finished;
}

bool Run::train_denoiser(const std::atomic<bool>& stop) {
  if (is_done(settings_, kDenoiser)) return true;
  const Autoencoder autoencoder(settings_.seed, at::kBFloat16);
  loaded(settings_, kVae, autoencoder.parameters()).swap_averages();
  const LatentStore store = make_latents(autoencoder, settings_.seed, settings_.scenes, settings_.threads,
                                         settings_.folder / "latents.safetensors");

  const auto tokenizer = tokenizer_in(settings_.folder / "tokenizer");
  const Denoiser model(settings_.seed, at::kBFloat16, tokenizer);
  const auto tensors = model.parameters();
  begin_from(
      loaded(settings_, kReader, Reader(settings_.seed, at::kBFloat16, tokenizer).parameters()).averaged(),
      tensors);
  OptimizerSettings careful;
  careful.pace = pace_of;
  Optimizer optimizer(tensors, careful);
  const auto parameters = values(tensors);
  const auto easy = easy_scenes(store.scenes);
  const int each = std::max(1, settings_.denoiser.batch / settings_.threads);
  const auto step = [&](std::int64_t n, double share) {
    Gradients gradients = differentiate(parameters, settings_.threads, [&](int shard) {
      auto generator = generator_for(settings_.seed, kDenoiserSteps,
                                     static_cast<std::uint64_t>(n * settings_.threads + shard));
      Dice dice(generator);
      std::vector<const Scene*> scenes;
      at::Tensor which = at::empty({each}, at::kLong);
      for (int i = 0; i < each; ++i) {
        const bool as_easy = !easy.empty() && dice.chance(settings_.easy_share * (1 - share / kEasyUntil));
        const std::size_t one = as_easy ? dice.one_of(easy) : dice.below(store.scenes.size());
        scenes.push_back(&store.scenes[one]);
        which.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(one);
      }
      return model.loss(model.lesson(store.latents.index_select(0, which), scenes,
                                     share < kShortShare ? kShortPadding : kTextLength, generator));
    });
    return StepResult{gradients.loss, std::move(gradients.of_each)};
  };
  const auto visit = [&](const Progress& progress) { show_samples(optimizer, store.scaling, progress); };
  LoopSettings loop = loop_of(settings_, kDenoiser, settings_.denoiser, settings_.denoiser_rate);
  loop.warm_up = 150;
  return learn(loop, optimizer, step, visit, stop).finished;
}

void Run::show_samples(const Optimizer& denoiser, double scaling, const Progress& progress) const {
  const fs::path preview = settings_.folder / "preview";
  const auto averaged = denoiser.averaged();
  export_model({weights_under("text/", averaged), weights_under("unet/", averaged),
                finished_autoencoder(settings_), scaling, words_},
               preview);
  write_sample_sheet(preview, sample_prompts(), 4,
                     settings_.folder / ("samples-" + std::to_string(progress.step) + ".png"));
}

void Run::export_to(const fs::path& folder) const {
  const Denoiser denoiser(settings_.seed, at::kBFloat16, tokenizer_in(settings_.folder / "tokenizer"));
  pipeline::FileWeights latents({settings_.folder / "latents.safetensors"});
  const auto averaged = loaded(settings_, kDenoiser, denoiser.parameters()).averaged();
  export_model({weights_under("text/", averaged), weights_under("unet/", averaged),
                finished_autoencoder(settings_), latents.take("scaling", {1}).item<float>(), words_},
               folder);
}

}  // namespace waggle::training
