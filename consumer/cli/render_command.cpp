// `waggle render`: prompt to files in this process, without queue or Redis, through the same pipeline as the
// workers.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/engine_flags.h"
#include "consumer/cli/inspect/like.h"
#include "consumer/cli/job_flags.h"
#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "consumer/cli/progress_bar.h"
#include "consumer/program/program.h"
#include "consumer/program/stop_signal.h"
#include "pipeline/catalogue.h"
#include "pipeline/pipeline.h"

namespace waggle::cli {

namespace {

using namespace std::chrono_literals;

struct RenderFlags {
  JobFlags job;
  EngineFlags engine;
  std::filesystem::path model, out = "out.png", like;
};

struct Step {
  int step, total;
};
struct End {
  std::optional<Error> error;
  pipeline::RenderSummary summary;  ///< when there is no error
};
using Happening = std::variant<Step, pipeline::RenderedImage, End>;

/// Carries what the engine's threads report to the main thread, which alone touches terminal and files.
class Happenings {
 public:
  void add(Happening happening) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(happening));
    arrived_.notify_one();
  }
  std::optional<Happening> next(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, timeout, [this] { return !waiting_.empty(); })) return std::nullopt;
    Happening happening = std::move(waiting_.front());
    waiting_.pop_front();
    return happening;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Happening> waiting_;
};

ExitCode follow(const Terminal& terminal, const RenderFlags& flags, Happenings& happenings,
                pipeline::Pipeline& pipeline, pipeline::Ticket ticket, const program::StopSignal& stop) {
  ProgressBar bar(terminal, "");
  std::optional<Error> write_error;
  bool cancelled = false;
  for (;;) {
    auto happening = happenings.next(50ms);
    if (stop.count() > 0 && !cancelled) {
      cancelled = true;
      bar.note("stopping after this step");
      pipeline.cancel(ticket);
    }
    if (!happening) continue;
    if (const auto* step = std::get_if<Step>(&*happening)) {
      if (!cancelled) bar.update(step->step, step->total);
    } else if (const auto* image = std::get_if<pipeline::RenderedImage>(&*happening)) {
      if (cancelled || write_error) continue;
      const auto file = numbered(flags.out, image->info.index, flags.job.images);
      if (auto written = write_atomically(file, image->bytes); !written) {
        write_error = written.error();
        pipeline.cancel(ticket);
        continue;
      }
      bar.clear();
      std::printf("%s\n", file.c_str());
      std::fflush(stdout);
    } else {
      const auto& end = std::get<End>(*happening);
      bar.clear();
      if (write_error) return fail(terminal, *write_error);
      if (cancelled) return ExitCode::interrupted;
      if (end.error) return fail(terminal, in_terms_of_flags(*end.error));
      if (terminal.err_is_terminal) {
        std::fprintf(stderr, "seed %lld, denoise %.2f s, decode %.2f s\n",
                     static_cast<long long>(end.summary.resolved.seed.value_or(0)), end.summary.denoise_s,
                     end.summary.decode_s);
      }
      return ExitCode::ok;
    }
  }
}

ExitCode render(const Terminal& terminal, RenderFlags flags) {
  const program::StopSignal stop;  // before the engine starts its threads
  auto format = format_of(flags.out);
  if (!format) return fail(terminal, format.error());
  if (auto writable = check_writable(flags.out); !writable) return fail(terminal, writable.error());
  if (flags.model.empty()) {
    auto shipped = shipped_model();
    if (!shipped) return fail(terminal, shipped.error());
    flags.model = std::move(shipped).value();
  }
  auto options = engine_options(flags.engine, flags.model);
  if (!options) return fail(terminal, options.error());
  options->version = program::version();
  JobFlags job_flags = flags.job;
  std::optional<JobRequest> like;
  if (!flags.like.empty()) {
    auto read = read_like(flags.like, job_flags);
    if (!read) return fail(terminal, read.error());
    like = std::move(read).value();
  } else if (job_flags.prompt.empty()) {
    return fail(terminal, {ErrorCode::invalid_request,
                           "PROMPT is missing: say what the picture shows, or name one with --like"});
  }
  auto catalogue = pipeline::Catalogue::single(flags.model, options->folders.tokenizer, options->family);
  if (!catalogue) return fail(terminal, catalogue.error());
  const pipeline::ModelDescription& model = catalogue->entries().front().model;
  std::optional<pipeline::ModelDescription> refiner;
  if (auto& path = job_flags.passes.refiner) {
    auto found = pipeline::Catalogue::single(*path, options->folders.tokenizer);
    if (!found) return fail(terminal, found.error());
    refiner = found->entries().front().model;
    path = refiner->name;
  }
  auto request = to_request(job_flags, model.name, *format);
  if (!request) return fail(terminal, request.error());
  if (like) {
    if (auto filled = fill_in(*like, job_flags, *request); !filled) return fail(terminal, filled.error());
    if (const std::string flag = other_picture(*like, *request); !flag.empty())
      std::fprintf(stderr, "waggle: %s is not the picture that was used then\n", flag.c_str());
  }

  Happenings happenings;  // outlives the engine, which reports to it until its end
  pipeline::Pipeline pipeline(*options);
  if (terminal.err_is_terminal) std::fprintf(stderr, "loading %s\n", model.name.c_str());
  if (auto loaded = load_model(pipeline, model, stop); !loaded) return fail(terminal, loaded.error());
  if (refiner)
    if (auto loaded = load_model(pipeline, *refiner, stop); !loaded) return fail(terminal, loaded.error());

  pipeline::RenderJob job;
  job.model = model.name;
  job.request = std::move(request).value();
  job.describe = described;
  job.callbacks.progress = [&happenings](int step, int total) { happenings.add(Step{step, total}); };
  job.callbacks.image = [&happenings](pipeline::RenderedImage image) { happenings.add(std::move(image)); };
  job.callbacks.end = [&happenings](Result<pipeline::RenderSummary> summary) {
    happenings.add(summary ? End{std::nullopt, std::move(summary).value()} : End{summary.error(), {}});
  };
  const pipeline::Ticket ticket = pipeline.render(std::move(job));
  return follow(terminal, flags, happenings, pipeline, ticket, stop);
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<RenderFlags>();
  app.add_option("--model", flags->model,
                 "Diffusers folder or .safetensors checkpoint (default: the demo model)")
      ->type_name("DIR");
  add_job_flags(app, flags->job);
  app.get_option("prompt")->required(false);
  app.add_option("--like", flags->like, "Make this picture again, but for what other flags change")
      ->type_name("PICTURE");
  app.add_option("-o,--out", flags->out, "File; its ending says the format: .png, .jpg, .webp")
      ->capture_default_str()
      ->type_name("FILE");
  add_engine_flags(app, flags->engine);
  return [flags](const Terminal& terminal) { return render(terminal, *flags); };
}

}  // namespace

const Command kRenderCommand{
    "render", "Render in this process, without a queue",
    "  waggle render --model models/sd15 \"a lighthouse at dusk\" -o lighthouse.png\n"
    "  waggle render --model sdxl.safetensors \"a fox\" -n 4 --size 1024x1024 --seed 7 -o fox.webp\n"
    "  waggle render --model models/sd15 --like fox.webp --steps 40 -o finer.png\n",
    attach};

}  // namespace waggle::cli
