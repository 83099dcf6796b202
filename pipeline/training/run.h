// A training run: its stages one after another, all of its state in one folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "pipeline/training/autoencoder.h"
#include "pipeline/training/byte_pairs.h"
#include "pipeline/training/denoiser.h"
#include "pipeline/training/learning_loop.h"

namespace waggle::training {

struct StageBudget {
  double minutes = 0;
  std::int64_t steps = 0;
  int batch = 32;
};

struct RunSettings {
  std::filesystem::path folder;
  std::filesystem::path from;  ///< an exported model whose weights stand for finished stages; empty: none
  std::uint64_t seed = 1;
  int threads = 2;
  StageBudget vae{20, 0, 16}, decoder{10, 0, 16}, reader{3, 0, 128}, denoiser{70, 0, 32};
  double denoiser_rate = 8e-4;  ///< highest learning rate of text encoder and UNet
  std::int64_t scenes = 60000;
  double sample_minutes = 10;
  /// Of the denoiser's lessons, the part that single figures on plain grounds are at first.
  double easy_share = 0.7;
  /// Names of finished stages that get their budget once more: another schedule from what they have learned.
  std::set<std::string> extended;
};

class Run {
 public:
  /// Writes the tokenizer into the folder, and what revive() makes of RunSettings::from.
  explicit Run(RunSettings settings);

  /// True when every stage is done, false when `stop` came first. A finished stage is not run again.
  bool train(const std::atomic<bool>& stop);
  /// The averaged weights of the checkpoints. Throws LoadError when a stage has none.
  void export_to(const std::filesystem::path& folder) const;

 private:
  bool train_autoencoder(const std::atomic<bool>& stop);
  bool train_decoder(const std::atomic<bool>& stop);
  bool train_reader(const std::atomic<bool>& stop);
  bool train_denoiser(const std::atomic<bool>& stop);
  void show_samples(const Optimizer& denoiser, double scaling, const Progress& progress) const;

  RunSettings settings_;
  BytePairs words_;
};

}  // namespace waggle::training
