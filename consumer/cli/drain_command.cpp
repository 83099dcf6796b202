// `waggle drain`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"

namespace waggle::cli {

namespace {

struct DrainFlags {
  HiveFlags hive;
  std::string worker;
};

ExitCode run(const Terminal& terminal, const DrainFlags& flags) {
  if (!is_valid_worker_id(flags.worker)) {
    return fail(terminal,
                {ErrorCode::invalid_request,
                 "WORKER must be 1 to 64 characters of A-Z a-z 0-9 . _ -, is \"" + flags.worker + "\""});
  }
  return query(terminal, flags.hive, DrainRequest{WorkerId(flags.worker)},
               [](const ReplyBody&) { std::puts("it finishes what it has and takes nothing new"); });
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<DrainFlags>();
  app.add_option("worker", flags->worker, "Worker id, as `waggle workers` lists them")->required();
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return run(terminal, *flags); };
}

}  // namespace

const Command kDrainCommand{"drain", "Take a worker out of service without losing its jobs",
                            "  waggle drain gpu-1\n", attach};

}  // namespace waggle::cli
