// The loop: budgets, rates, checkpoints, and that learning learns.
#include <fstream>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <catch2/catch.hpp>

#include "pipeline/training/autoencoder.h"
#include "pipeline/training/byte_pairs.h"
#include "pipeline/training/denoiser.h"
#include "pipeline/training/learning_loop.h"
#include "pipeline/training/pictures.h"
#include "pipeline/training/reading.h"
#include "pipeline/training/shards.h"
#include "pipeline/weights/safetensors_writer.h"
#include "tests/pipeline/training/scratch_folder.h"

namespace waggle::training {
namespace {

std::vector<Scene> some_scenes(int count) {
  auto generator = generator_for(5, 0, 0);
  std::vector<Scene> scenes;
  for (int i = 0; i < count; ++i) scenes.push_back(random_scene(generator));
  return scenes;
}

/// Pulls a weight towards 3: small enough to follow step by step.
struct Toy {
  std::map<std::string, at::Tensor> parameters{{"w", at::zeros({4, 4}).requires_grad_(true)}};
  Optimizer optimizer{parameters, {}};
  std::int64_t steps_taken = 0;

  Progress learn_in(const std::filesystem::path& folder, std::int64_t steps, std::int64_t stop_at = -1) {
    LoopSettings settings{"toy", folder, steps, 0, 0.05};
    settings.warm_up = 5;
    std::atomic<bool> stop{false};
    return learn(
        settings, optimizer,
        [&](std::int64_t n, double) {
          ++steps_taken;
          if (n + 1 == stop_at) stop = true;
          auto generator = generator_for(1, 2, static_cast<std::uint64_t>(n));
          const double target = 3.0 + 1e-3 * static_cast<double>(generator() % 100);
          Gradients g = differentiate({parameters["w"]}, 1,
                                      [&](int) { return (parameters["w"] - target).square().mean(); });
          return StepResult{g.loss, g.of_each};
        },
        [](const Progress&) {}, stop);
  }
};

TEST_CASE("learning: a run that was stopped and resumed ends with the weights of one that was not") {
  const test::ScratchFolder whole_folder, broken_folder;
  Toy whole, before, after;
  CHECK(whole.learn_in(whole_folder.path(), 60).finished);
  CHECK_FALSE(before.learn_in(broken_folder.path(), 60, 25).finished);
  CHECK(after.learn_in(broken_folder.path(), 60).finished);
  CHECK(after.steps_taken == 35);
  CHECK(at::equal(after.parameters["w"], whole.parameters["w"]));
  CHECK(at::equal(after.optimizer.averaged()["w"], whole.optimizer.averaged()["w"]));
}

TEST_CASE("learning: a finished stage is not run again") {
  const test::ScratchFolder folder;
  Toy first, second;
  (void)first.learn_in(folder.path(), 10);
  CHECK(second.learn_in(folder.path(), 10).finished);
  CHECK(second.steps_taken == 0);
}

TEST_CASE("learning: a finished stage that is extended goes on from its weights with a budget of its own") {
  const test::ScratchFolder folder;
  Toy first, second;
  (void)first.learn_in(folder.path(), 10);
  LoopSettings settings{"toy", folder.path(), 0, 1e-4, 0.1};
  settings.again = true;
  const std::atomic<bool> stop{false};
  double share_at_first = 1;
  std::int64_t begun_at = -1;
  const Progress progress = learn(
      settings, second.optimizer,
      [&](std::int64_t n, double share) {
        if (begun_at < 0) {
          begun_at = n;
          share_at_first = share;
          CHECK(at::equal(second.parameters["w"], first.parameters["w"]));
        }
        Gradients g = differentiate({second.parameters["w"]}, 1,
                                    [&](int) { return (second.parameters["w"] - 3.0).square().mean(); });
        return StepResult{g.loss, g.of_each};
      },
      [](const Progress&) {}, stop);
  CHECK(progress.finished);
  CHECK(begun_at == 10);
  CHECK(share_at_first == 0);
}

TEST_CASE("learning: a torn checkpoint of another program is an error, not a fresh start") {
  const test::ScratchFolder folder;
  std::ofstream(folder.path() / "toy.safetensors") << "half a file";
  Toy toy;
  CHECK_THROWS_AS(toy.learn_in(folder.path(), 10), pipeline::LoadError);
}

TEST_CASE("learning: a passing file of a kill in mid-write does not stand in the way") {
  const test::ScratchFolder folder;
  std::ofstream(folder.path() / "toy.safetensors.new") << "half a file";
  Toy toy;
  CHECK(toy.learn_in(folder.path(), 10).finished);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "toy.safetensors.new"));
}

TEST_CASE("learning: the rate warms up, comes down, and ends at zero by whichever budget is nearer") {
  LoopSettings settings{"toy", {}, 1000, 10, 1.0};
  settings.warm_up = 100;
  CHECK(rate_at(settings, {0, 0}) == Approx(0.01));
  CHECK(rate_at(settings, {99, 1}) == Approx(1.0).epsilon(0.05));
  CHECK(rate_at(settings, {500, 10}) == Approx(0.5));
  CHECK(rate_at(settings, {500, 600}) == Approx(0.0).margin(1e-12));
  CHECK(share_spent(settings, {200, 480}) == Approx(0.8));
}

TEST_CASE("learning: gradients that are not finite change nothing") {
  std::map<std::string, at::Tensor> parameters{{"w", at::ones({3}).requires_grad_(true)}};
  Optimizer optimizer(parameters, {});
  (void)optimizer.step({at::full({3}, std::numeric_limits<float>::quiet_NaN())}, 0.1);
  CHECK(at::equal(parameters["w"], at::ones({3})));
}

TEST_CASE("learning: some steps over the same pictures lower the autoencoder's loss") {
  Autoencoder model(1, at::kBFloat16);
  Optimizer optimizer(model.parameters(), {});
  auto generator = generator_for(1, 0, 0);
  const at::Tensor pictures = random_crops(pictures_of(some_scenes(4)), 32, generator);
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    const auto gradients = differentiate(values(model.parameters()), 1, [&](int) {
      return model.loss(pictures, at::make_generator<at::CPUGeneratorImpl>(7));
    });
    (step == 0 ? first : last) = gradients.loss;
    (void)optimizer.step(gradients.of_each, 2e-3);
  }
  CHECK(last < 0.8 * first);
}

TEST_CASE(
    "learning: some steps over the same lesson lower the denoiser's loss, and the words' weights move") {
  const test::ScratchFolder folder;
  write_tokenizer(learn_byte_pairs(caption_words(1, 500)), folder.path());
  auto tokenizer = pipeline::Tokenizer::load(folder.path());
  REQUIRE(tokenizer);
  const Denoiser model(1, at::kBFloat16, *tokenizer);
  const auto tensors = model.parameters();
  const at::Tensor word_before =
      tensors.at("text/text_model.embeddings.token_embedding.weight").detach().clone();
  Optimizer optimizer(tensors, {});
  const auto scenes = some_scenes(8);
  std::vector<const Scene*> pointers;
  for (const auto& scene : scenes) pointers.push_back(&scene);
  auto generator = generator_for(1, 0, 0);
  const Lesson lesson = model.lesson(at::ones({8, 4, 16, 16}), pointers, 4, generator);
  double first = 0, last = 0;
  for (int step = 0; step < 12; ++step) {
    const auto gradients = differentiate(values(tensors), 1, [&](int) { return model.loss(lesson); });
    (step == 0 ? first : last) = gradients.loss;
    (void)optimizer.step(gradients.of_each, 1e-3);
  }
  CHECK(last < 0.9 * first);
  CHECK_FALSE(at::equal(word_before, tensors.at("text/text_model.embeddings.token_embedding.weight")));
}

}  // namespace
}  // namespace waggle::training
