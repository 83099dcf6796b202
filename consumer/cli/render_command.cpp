// `waggle render`: prompt to files in this process, without queue or Redis, through the same pipeline as the
// workers.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/inspect/like.h"
#include "consumer/cli/job_flags.h"
#include "consumer/cli/output_file.h"
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
  std::filesystem::path model, out = "out.png", lora_dir, tokenizer_dir, like;
  std::string precision = "auto", device = "cpu";
  int threads = 0;
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

Result<pipeline::Options> engine_options(const RenderFlags& flags) {
  pipeline::Options options;
  const auto precision = pipeline::precision_from_name(flags.precision);
  if (!precision) {
    return Error{ErrorCode::invalid_request,
                 "--precision must be auto, fp32, bf16 or fp16, is \"" + flags.precision + "\""};
  }
  options.precision = *precision;
  if (flags.device == "cuda") options.device.kind = pipeline::DeviceKind::cuda;
  if (flags.device == "metal") options.device.kind = pipeline::DeviceKind::metal;
  options.threads = flags.threads;
  options.lora_dir = flags.lora_dir;
  options.tokenizer_dir = flags.tokenizer_dir;
  if (auto found = pipeline::check_device(options.device); !found) return found.error();
  return options;
}

/// Loads on another thread, so that Ctrl-C need not wait for gigabytes of weights.
Status load(pipeline::Pipeline& pipeline, const std::filesystem::path& path, const std::string& name,
            const program::StopSignal& stop) {
  auto loaded = std::async(std::launch::async, [&] { return pipeline.load(path, name); });
  while (loaded.wait_for(20ms) != std::future_status::ready) {
    // Nothing has been written, and the weights are mapped read-only: leaving at once loses nothing.
    if (stop.count() > 0) std::_Exit(static_cast<int>(ExitCode::interrupted));
  }
  auto description = loaded.get();
  if (!description) return description.error();
  return Done{};
}

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

ExitCode render(const Terminal& terminal, const RenderFlags& flags) {
  const program::StopSignal stop;  // before the engine starts its threads
  auto format = format_of(flags.out);
  if (!format) return fail(terminal, format.error());
  if (auto writable = check_writable(flags.out); !writable) return fail(terminal, writable.error());
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
  auto catalogue = pipeline::Catalogue::single(flags.model);
  if (!catalogue) return fail(terminal, catalogue.error());
  const pipeline::ModelDescription& model = catalogue->entries().front().model;
  auto request = to_request(job_flags, model.name, *format);
  if (!request) return fail(terminal, request.error());
  if (like) {
    if (auto filled = fill_in(*like, job_flags, *request); !filled) return fail(terminal, filled.error());
    if (const std::string flag = other_picture(*like, *request); !flag.empty())
      std::fprintf(stderr, "waggle: %s is not the picture that was used then\n", flag.c_str());
  }
  auto options = engine_options(flags);
  if (!options) return fail(terminal, options.error());
  options->version = program::version();

  Happenings happenings;  // outlives the engine, which reports to it until its end
  pipeline::Pipeline pipeline(*options);
  if (terminal.err_is_terminal) std::fprintf(stderr, "loading %s\n", model.name.c_str());
  if (auto loaded = load(pipeline, model.path, model.name, stop); !loaded)
    return fail(terminal, loaded.error());

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
  app.add_option("--model", flags->model, "Diffusers folder or .safetensors checkpoint")
      ->required()
      ->type_name("DIR");
  add_job_flags(app, flags->job);
  app.get_option("prompt")->required(false);
  app.add_option("--like", flags->like, "Make this picture again, but for what other flags change")
      ->type_name("PICTURE");
  app.add_option("-o,--out", flags->out, "File; its ending says the format: .png, .jpg, .webp")
      ->capture_default_str()
      ->type_name("FILE");
  app.add_option("--precision", flags->precision, "auto, fp32, bf16 or fp16")->capture_default_str();
  app.add_option("--device", flags->device, "cpu, cuda or metal")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda", "metal"}));
  app.add_option("--threads", flags->threads, "Compute threads on a CPU, 0: as many as the machine allows")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--lora-dir", flags->lora_dir, "Folder in which --lora names are looked up")
      ->type_name("DIR");
  app.add_option("--tokenizer-dir", flags->tokenizer_dir, "Tokenizer for a checkpoint, which carries none")
      ->type_name("DIR");
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
