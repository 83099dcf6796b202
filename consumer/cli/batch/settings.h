// The flags of `waggle batch` and what they mean for a run: the recipe of its jobs, the digest by which a
// resumed run knows that it is the same, the settings of its engine.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/cli/batch/plan.h"
#include "consumer/cli/batch/reader.h"
#include "consumer/cli/engine_flags.h"
#include "consumer/cli/hive.h"
#include "consumer/cli/job_flags.h"
#include "schemas/result.h"

namespace waggle::cli::batch {

struct BatchFlags {
  std::string file;  ///< "-": standard input
  std::filesystem::path out, contact_sheet;
  std::string model, form, name = "{index:05}-{seed}-{prompt:40}", wildcards = "all";
  std::vector<std::string> grid;
  JobFlags job;
  HiveFlags hive;
  EngineFlags engine;
  std::size_t window = 0;  ///< 0: what suits the backend
  double patience_s = 300;
  bool local = false, resume = false, retry_failed = false, check = false, quiet = false;
};

void add_batch_flags(CLI::App& app, BatchFlags& flags);

/// The engine of a run that renders in process, as its manifest keeps it.
struct LocalSettings {
  std::filesystem::path model;
  EngineFlags engine;
};
std::string to_json(const LocalSettings& settings);
/// Errors: malformed_message.
Result<LocalSettings> local_settings_from_json(std::string_view text);

/// The file's text. Errors: io_error, payload_too_large.
Result<std::string> read_source(const std::string& file);

/// `model` is the model's name for every job that does not say its own; empty: each says one. Errors:
/// invalid_request in terms of flags.
Result<Recipe> make_recipe(const BatchFlags& flags, const std::string& model);

/// Of everything that shapes the jobs of a run.
std::string digest_of_run(const BatchFlags& flags, const Recipe& recipe, std::string_view text, Form form);

/// The command line that goes on with a run.
std::string resume_command(const BatchFlags& flags);

}  // namespace waggle::cli::batch
