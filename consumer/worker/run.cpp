// From the command line to a worker that serves.
#include "consumer/worker/run.h"

#include <cstdlib>
#include <string>

#include <spdlog/spdlog.h>

#include "consumer/program/program.h"
#include "consumer/program/stop_signal.h"
#include "consumer/worker/options.h"
#include "consumer/worker/worker.h"

namespace waggle::worker {
namespace {

std::string program_name(pipeline::DeviceKind kind) {
  switch (kind) {
    case pipeline::DeviceKind::cpu:
      return "waggle-worker-cpu";
    case pipeline::DeviceKind::cuda:
      return "waggle-worker-cuda";
    case pipeline::DeviceKind::metal:
      return "waggle-worker-metal";
  }
  return "waggle-worker";
}

program::ExitCode exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::device_error:
      return program::kNoDevice;
    case ErrorCode::model_mismatch:
      return program::kModelMismatch;
    case ErrorCode::invalid_request:
      return program::kUsage;
    default:
      return program::kFailure;
  }
}

int fail(const Error& error) {
  spdlog::error("{}", to_string(error));
  return exit_code(error);
}

std::string list_models(const WorkerInfo& info) {
  std::string text;
  for (const ModelInfo& model : info.models)
    text += (text.empty() ? "" : ", ") + model.name + " (" + model.family + ")";
  return text;
}

/// A hung device cannot be shut down in order: its threads never come back.
[[noreturn]] void leave_at_once() { std::_Exit(program::kWedged); }

}  // namespace

int run(pipeline::DeviceKind kind, int argc, char** argv) {
  program::Program worker_program(program_name(kind), "Claims jobs from the queue and renders them.");
  Flags flags;
  add_flags(worker_program.flags(), kind, flags);
  const std::string name = program_name(kind);
  worker_program.set_examples(
      "  " + name + " --model-path models/stable-diffusion-v1-5 --preload\n  " + name +
      " --models-dir models --worker-id rack-7 --connect tcp://queen.example.org:5550\n");
  return worker_program.run(argc, argv, [&]() -> int {
    program::StopSignal stop;
    auto settings = read_settings(flags, kind);
    if (!settings) return fail(settings.error());
    auto renderer = make_renderer(flags, kind);
    if (!renderer) return fail(renderer.error());
    if (flags.use_flash_attention) spdlog::info("--use-flash-attn: the fastest attention is always used");
    Worker worker(std::move(settings).value(), std::move(renderer).value(), leave_at_once);
    const WorkerInfo info = worker.info();
    spdlog::info("worker {} on {} ({}), {}, {} at once, serves {}", info.id.value, info.device,
                 info.device_name, info.precision, info.capacity, list_models(info));
    worker.run(stop);
    return program::kOk;
  });
}

}  // namespace waggle::worker
