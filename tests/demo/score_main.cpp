// waggle-demo-score: asks a model for pictures through the pipeline's public face, and counts what the judge
// finds right.
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "consumer/cli/sheet/contact_sheet.h"
#include "pipeline/pipeline.h"
#include "pipeline/training/paint.h"
#include "tests/demo/exam.h"

namespace {

using namespace waggle;
using namespace waggle::demo;
namespace fs = std::filesystem;

struct Flags {
  fs::path model = WAGGLE_DEMO_MODEL, json, failures, pictures;
  int prompts = 200, steps = 20, size = 0;
  std::uint64_t seed = 1;
  std::string sampler, precision = "auto";
  std::optional<double> guidance, drawn;
  double seen_at_least = 0, held_out_at_least = 0;
};

/// Renders all questions at once, so that they share UNet calls, and hands each picture over as it comes.
class Exam {
 public:
  Exam(const Flags& flags, std::vector<Question> asked) : flags_(flags), asked_(std::move(asked)) {}

  /// The answers in the order of the questions. Throws std::runtime_error with the reason when one has none.
  std::vector<Answer> run(pipeline::Pipeline& pipeline) {
    answers_.resize(asked_.size());
    for (std::size_t i = 0; i < asked_.size(); ++i) pipeline.render(job(i));
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ == asked_.size(); });
    if (failure_) throw std::runtime_error(*failure_);
    std::vector<Answer> answers;
    for (auto& answer : answers_) answers.push_back(std::move(answer).value());
    return answers;
  }

 private:
  pipeline::RenderJob job(std::size_t index) {
    pipeline::RenderJob job;
    job.model = "demo";
    JobRequest& request = job.request;
    request.model = "demo";
    request.prompt = asked_[index].caption.text;
    request.seed = asked_[index].seed;
    request.steps = flags_.steps;
    request.guidance_scale = flags_.guidance;
    if (!flags_.sampler.empty()) request.sampler = flags_.sampler;
    if (flags_.drawn) {
      const pipeline::Picture drawn{128, 128, 3, training::paint(asked_[index].scene, 128)};
      ImageTransform again;
      again.input_image.source = pipeline::encode(drawn, OutputFormat::png);
      again.strength = *flags_.drawn;
      request.operation = std::move(again);
    }
    if (flags_.size > 0) request.operation = ImageGeneration{flags_.size, flags_.size};
    job.callbacks.image = [this, index](const pipeline::RenderedImage& image) { keep(index, image.bytes); };
    job.callbacks.end = [this](const Result<pipeline::RenderSummary>& end) { note_end(end); };
    return job;
  }

  void keep(std::size_t index, const std::string& bytes) {
    auto picture = pipeline::decode(bytes);
    const std::lock_guard lock(mutex_);
    if (!picture) {
      failure_ = picture.error().message;
      return;
    }
    answers_[index] = judged(asked_[index], std::move(picture).value());
    if (!flags_.pictures.empty()) {
      std::ofstream(flags_.pictures / (std::to_string(index) + ".png"), std::ios::binary) << bytes;
    }
  }

  void note_end(const Result<pipeline::RenderSummary>& end) {
    const std::lock_guard lock(mutex_);
    if (!end) failure_ = end.error().message;
    ++ended_;
    if (isatty(STDERR_FILENO) != 0) {
      std::fprintf(stderr, "\r%zu of %zu%s", ended_, asked_.size(), ended_ == asked_.size() ? "\n" : "");
    }
    changed_.notify_all();
  }

  const Flags& flags_;
  const std::vector<Question> asked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<Answer>> answers_;
  std::size_t ended_ = 0;
  std::optional<std::string> failure_;
};

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : "; ").append(part);
  return text;
}

nlohmann::json in_json(const Tally& tally) {
  return {{"asked", tally.asked},
          {"ground_right", tally.ground_right},
          {"colors_right", tally.colors_right},
          {"figures_right", tally.figures_right},
          {"all_right", tally.all_right}};
}

void write_json(const Flags& flags, const std::vector<Answer>& answers) {
  nlohmann::json failures = nlohmann::json::array();
  for (const Answer& answer : answers) {
    if (answer.wrong.empty()) continue;
    failures.push_back({{"prompt", answer.question.caption.text},
                        {"seed", answer.question.seed},
                        {"held_out", answer.question.held_out},
                        {"figures_right", answer.figures_right},
                        {"wrong", answer.wrong},
                        {"seen", answer.seen}});
  }
  const nlohmann::json all{{"model", flags.model.filename().string()},
                           {"steps", flags.steps},
                           {"sampler", flags.sampler.empty() ? "the model's own" : flags.sampler},
                           {"seed", flags.seed},
                           {"seen", in_json(tally(answers, false))},
                           {"held_out", in_json(tally(answers, true))},
                           {"failures", failures}};
  std::ofstream(flags.json) << all.dump(2) << "\n";
}

void draw_failures(const fs::path& file, const std::vector<Answer>& answers) {
  cli::SheetLayout layout;
  layout.tile = 160;
  layout.lines = 6;
  cli::ContactSheet sheet(layout);
  int count = 0;
  for (const Answer& answer : answers) {
    if (answer.wrong.empty() || count++ >= sheet.most_pictures()) continue;
    sheet.add(answer.picture, answer.question.caption.text + " (" + joined(answer.wrong) + ")");
  }
  if (count == 0) return;
  std::ofstream(file, std::ios::binary) << pipeline::encode(sheet.draw(), OutputFormat::png);
}

bool good_enough(const Tally& tally, double least_percent) {
  return 100.0 * tally.figures_right >= least_percent * tally.asked;
}

int score(const Flags& flags) {
  const auto precision = pipeline::precision_from_name(flags.precision);
  if (!precision) throw std::runtime_error("no precision '" + flags.precision + "'");
  pipeline::Options options;
  options.precision = *precision;
  pipeline::Pipeline pipeline(options);
  if (auto loaded = pipeline.load(flags.model, "demo"); !loaded)
    throw std::runtime_error(loaded.error().message);
  if (!flags.pictures.empty()) fs::create_directories(flags.pictures);

  Exam exam(flags, questions(flags.prompts, flags.seed));
  const std::vector<Answer> answers = exam.run(pipeline);
  std::printf("%d steps, sampler: %s\n%s", flags.steps,
              flags.sampler.empty() ? "the model's own" : flags.sampler.c_str(), table(answers).c_str());
  for (const Answer& answer : answers) {
    if (answer.wrong.empty()) continue;
    std::printf("%s \"%s\" seed %lld: %s\n", answer.question.held_out ? "held out" : "seen    ",
                answer.question.caption.text.c_str(), static_cast<long long>(answer.question.seed),
                joined(answer.wrong).c_str());
  }
  if (!flags.json.empty()) write_json(flags, answers);
  if (!flags.failures.empty()) draw_failures(flags.failures, answers);
  const bool enough = good_enough(tally(answers, false), flags.seen_at_least) &&
                      good_enough(tally(answers, true), flags.held_out_at_least);
  if (!enough) std::printf("fewer than asked for are right\n");
  return enough ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app(
      "Renders prompts, half of them with combinations of colour and shape that no training picture had,\n"
      "and counts what plain image analysis finds right.");
  app.add_option("--model", flags.model, "Diffusers folder")->capture_default_str()->check(CLI::ExistingPath);
  app.add_option("--prompts", flags.prompts, "How many")->capture_default_str()->check(CLI::Range(2, 100000));
  app.add_option("--steps", flags.steps, "Of each picture")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--sampler", flags.sampler, "Registry name; else the model's own");
  app.add_option("--guidance", flags.guidance, "Else the model's own");
  app.add_option("--size", flags.size, "Pixels of a side; else the model's own");
  app.add_option(
         "--drawn", flags.drawn,
         "Start from the picture that the generator draws, with this strength: near 0 tells what the\n"
         "autoencoder alone loses")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--seed", flags.seed, "Of prompts and pictures")->capture_default_str();
  app.add_option("--precision", flags.precision, "auto, fp32, bf16, fp16")->capture_default_str();
  app.add_option("--json", flags.json, "Write counts and failures here");
  app.add_option("--failures", flags.failures, "Write a contact sheet of the failures here (PNG)");
  app.add_option("--pictures", flags.pictures, "Keep every picture in this folder");
  app.add_option("--seen-at-least", flags.seen_at_least,
                 "Exit 1 when fewer per cent have colour and shape right");
  app.add_option("--held-out-at-least", flags.held_out_at_least, "The same for held-out combinations");
  CLI11_PARSE(app, argc, argv);
  try {
    return score(flags);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-demo-score: %s\n", error.what());
    return 2;
  }
}
