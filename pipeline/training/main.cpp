// waggle-train: makes the demo model from nothing, stage by stage, in a folder that it can be resumed from.
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "pipeline/engine/allocator.h"
#include "pipeline/training/run.h"

namespace {

std::atomic<bool> stop_asked{false};

}  // namespace

int main(int argc, char** argv) {
  waggle::training::RunSettings settings;
  std::filesystem::path export_folder;
  bool export_only = false;
  CLI::App app(
      "Trains the demo model: an autoencoder, then text encoder and UNet on its latents.\n"
      "Run it again with the same --run to go on after Ctrl-C, kill -9 or a power cut.");
  app.add_option("--run", settings.folder, "folder of checkpoints, loss.csv and sample pictures")->required();
  app.add_option(
         "--from", settings.from,
         "an exported model that stands for stages not begun yet; with --extend they learn on from it")
      ->check(CLI::ExistingDirectory);
  app.add_option("--seed", settings.seed, "the same seed, steps and threads give the same model")
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "parts of a batch, each on a thread of its own")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--vae-minutes", settings.vae.minutes, "budget of the autoencoder")->capture_default_str();
  app.add_option("--vae-steps", settings.vae.steps, "the same in steps")->capture_default_str();
  app.add_option("--vae-batch", settings.vae.batch, "pictures of a step")->capture_default_str();
  app.add_option("--decoder-minutes", settings.decoder.minutes, "budget of its decoder's finish")
      ->capture_default_str();
  app.add_option("--decoder-steps", settings.decoder.steps, "the same in steps")->capture_default_str();
  app.add_option("--reader-minutes", settings.reader.minutes, "budget of the text encoder's first lessons")
      ->capture_default_str();
  app.add_option("--reader-steps", settings.reader.steps, "the same in steps")->capture_default_str();
  app.add_option("--reader-batch", settings.reader.batch, "captions of a step")->capture_default_str();
  app.add_option("--minutes", settings.denoiser.minutes, "budget of text encoder and UNet")
      ->capture_default_str();
  app.add_option("--steps", settings.denoiser.steps, "the same in steps")->capture_default_str();
  app.add_option("--batch", settings.denoiser.batch, "scenes of a step")->capture_default_str();
  app.add_option("--rate", settings.denoiser_rate, "highest learning rate of text encoder and UNet")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--scenes", settings.scenes, "scenes that the UNet learns from")->capture_default_str();
  app.add_option("--sample-minutes", settings.sample_minutes, "between two sample sheets; 0: only at the end")
      ->capture_default_str();
  app.add_option(
         "--easy-share", settings.easy_share,
         "of the UNet's lessons, single figures on plain grounds at first; none after 40 % of its budget")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option(
         "--extend", settings.extended,
         "finished stages that get their budget (in minutes) once more: another schedule from what they "
         "have learned")
      ->check(CLI::IsMember({"vae", "decoder", "reader", "denoiser"}));
  app.add_option("--export", export_folder, "write the model here as a diffusers folder when done");
  app.add_flag("--export-only", export_only, "export what the checkpoints hold by now, train nothing");
  app.footer(
      "waggle-train --run /tmp/run --vae-minutes 20 --minutes 70 --export pipeline/demo/waggle-shapes\n"
      "waggle-train --run /tmp/more --from pipeline/demo/waggle-shapes --extend denoiser --rate 4e-4 "
      "--easy-share 0");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGINT, [](int) { stop_asked = true; });
  std::signal(SIGTERM, [](int) { stop_asked = true; });
  waggle::pipeline::keep_freed_memory();
  try {
    waggle::training::Run run(settings);
    if (!export_only && !run.train(stop_asked)) {
      std::printf("stopped; the same command goes on from here\n");
      return 130;
    }
    if (!export_folder.empty()) run.export_to(export_folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "waggle-train: %s\n", error.what());
    return 1;
  }
  return 0;
}
