// `waggle submit`.
#include <cstdio>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>

#include "consumer/cli/job_flags.h"
#include "consumer/cli/watching.h"
#include "schemas/codec/json.h"

namespace waggle::cli {

namespace {

struct SubmitFlags {
  JobFlags job;
  HiveFlags hive;
  std::string model;
  bool watch = false, wait = false;
};

ExitCode submit(const Terminal& terminal, const SubmitFlags& flags) {
  const program::StopSignal stop;
  const auto format = output_format_from_name(flags.job.format);
  if (!format) {
    return fail(terminal, {ErrorCode::invalid_request,
                           "--format must be png, jpeg or webp, is \"" + flags.job.format + "\""});
  }
  auto request = to_request(flags.job, flags.model, *format);
  if (!request) return fail(terminal, request.error());
  auto hive = Hive::open(flags.hive);
  if (!hive) return fail(terminal, hive.error());

  auto reply = (*hive)->ask(SubmitRequest{std::move(request).value()});
  if (!reply) return fail(terminal, in_terms_of_flags(reply.error()));
  const auto* accepted = std::get_if<Accepted>(&reply->body);
  if (accepted == nullptr) {
    return fail(terminal, {ErrorCode::unknown_type, "the queen answered submit with something else"});
  }
  if (flags.hive.json) {
    std::printf("%s\n", codec::to_json(*reply).c_str());
  } else {
    std::printf("%s\n", accepted->job.value.c_str());
    if (accepted->duplicate && terminal.err_is_terminal) {
      std::fprintf(stderr, "the idempotency key was known: this is the first job\n");
    }
  }
  std::fflush(stdout);
  if (!flags.watch && !flags.wait) return ExitCode::ok;
  const Detail detail = flags.watch ? Detail::all : Detail::end_only;
  return watch(terminal, **hive, accepted->job, detail, flags.hive.json, stop);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<SubmitFlags>();
  app.add_option("--model", flags->model, "Model by its name in the pool")->required()->type_name("NAME");
  add_job_flags(app, flags->job);
  add_queue_flags(app, flags->job);
  app.add_flag("--watch", flags->watch, "Follow the job to its end");
  app.add_flag("--wait", flags->wait, "Wait for the end, print that alone");
  add_hive_flags(app, flags->hive);
  return [flags](const Terminal& terminal) { return submit(terminal, *flags); };
}

}  // namespace

const Command kSubmitCommand{
    "submit", "Put a job into the queue and print its id",
    "  waggle submit --model sd15 \"a lighthouse at dusk\" --watch\n"
    "  job=$(waggle submit --model sd15 \"a fox\" -n 4 --seed 7) && waggle fetch --wait $job -o foxes\n"
    "  waggle submit --model sd15 \"in the style of ink\" --init photo.png --strength 0.6 --wait\n",
    attach};

}  // namespace waggle::cli
