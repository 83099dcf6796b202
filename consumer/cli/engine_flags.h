// The flags of an engine in this process, shared by `render` and `batch --local`, and the loading of its
// model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "consumer/program/stop_signal.h"
#include "pipeline/pipeline.h"
#include "schemas/result.h"

namespace CLI {
class App;
}

namespace waggle::cli {

struct EngineFlags {
  pipeline::Folders folders;
  std::string precision = "auto", device = "cpu", family;
  int threads = 0;
  std::uint64_t memory_budget = 0;  ///< bytes; 0: what the machine has
  std::filesystem::path weight_cache;
  std::uint64_t weight_cache_size = std::uint64_t{32} << 30;  ///< bytes
};

void add_engine_flags(CLI::App& app, EngineFlags& flags);

/// `model`: the path of the one that will be loaded; folders of adapters that no flag names are looked for
/// beside it. Errors: invalid_request (no such precision), device_error.
Result<pipeline::Options> engine_options(const EngineFlags& flags, const std::filesystem::path& model = {});

/// Loads on another thread, so that Ctrl-C need not wait for gigabytes of weights: it ends the process.
/// Errors: what Pipeline::load() says.
Status load_model(pipeline::Pipeline& pipeline, const pipeline::ModelDescription& model,
                  const program::StopSignal& stop);

}  // namespace waggle::cli
