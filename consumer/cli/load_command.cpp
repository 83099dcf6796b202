// `waggle load` and `waggle unload`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"

namespace waggle::cli {

namespace {

struct LoadFlags {
  HiveFlags hive;
  std::string worker, model;
};

template <class Body>
ExitCode run(const Terminal& terminal, const LoadFlags& flags, const char* what) {
  if (!is_valid_worker_id(flags.worker)) {
    return fail(terminal,
                {ErrorCode::invalid_request,
                 "WORKER must be 1 to 64 characters of A-Z a-z 0-9 . _ -, is \"" + flags.worker + "\""});
  }
  return query(terminal, flags.hive, Body{WorkerId(flags.worker), flags.model},
               [what](const ReplyBody&) { std::puts(what); });
}

std::shared_ptr<LoadFlags> add_flags(CLI::App& app) {
  auto flags = std::make_shared<LoadFlags>();
  app.add_option("worker", flags->worker, "Worker id, as `waggle workers` lists them")->required();
  app.add_option("model", flags->model, "Name or alias of a model that it serves")->required();
  add_hive_flags(app, flags->hive);
  return flags;
}

Action attach_load(CLI::App& app) {
  return [flags = add_flags(app)](const Terminal& terminal) {
    return run<LoadModelRequest>(terminal, *flags, "the worker has been told to load it");
  };
}

Action attach_unload(CLI::App& app) {
  return [flags = add_flags(app)](const Terminal& terminal) {
    return run<UnloadModelRequest>(terminal, *flags, "the worker has been told to unload it");
  };
}

}  // namespace

const Command kLoadCommand{"load", "Bring a model into a worker's memory before its first job",
                           "  waggle load gpu-1 sdxl\n", attach_load};
const Command kUnloadCommand{"unload", "Take a model out of a worker's memory",
                             "  waggle unload gpu-1 sdxl\n", attach_unload};

}  // namespace waggle::cli
