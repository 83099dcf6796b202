// `waggle batch`: a file of prompts to a folder of pictures, by the pool or in this process.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>

#include "consumer/cli/batch/local_backend.h"
#include "consumer/cli/batch/pool_backend.h"
#include "consumer/cli/batch/run.h"
#include "consumer/cli/batch/settings.h"
#include "consumer/cli/command.h"
#include "consumer/cli/output_file.h"
#include "consumer/cli/private_folder.h"
#include "consumer/cli/sheet/sheet_files.h"
#include "consumer/program/program.h"
#include "consumer/program/stop_signal.h"
#include "pipeline/catalogue.h"
#include "schemas/codec/json_text.h"

namespace waggle::cli {

namespace {

using namespace batch;
namespace fs = std::filesystem;

constexpr std::size_t kPoolWindow = 64, kLocalWindow = 16;
constexpr std::size_t kMostNotes = 10;

Error bad(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

/// The jobs of a file, or all that is wrong with it.
struct Planned {
  Plan plan;
  RunHeader header;
};

std::string shown(const BatchFlags& flags) { return flags.file == "-" ? "standard input" : flags.file; }

void print_remarks(const BatchFlags& flags, const std::vector<Remark>& remarks, const char* kind) {
  for (const Remark& remark : remarks) {
    if (flags.hive.json) {
      const codec::Object object{{"event", {std::string(kind)}},
                                 {"line", {std::int64_t{remark.line}}},
                                 {"path", {remark.path}},
                                 {"message", {remark.message}}};
      std::printf("%s\n", codec::write_json({object}).c_str());
    } else {
      std::fprintf(stderr, "%s\n", printable(to_string(remark, shown(flags))).c_str());
    }
  }
}

/// The model's name, by which a job in this process is known too.
Result<std::string> model_name(const BatchFlags& flags) {
  if (!flags.local) return flags.model;
  auto catalogue =
      pipeline::Catalogue::single(flags.model, flags.engine.folders.tokenizer, flags.engine.family);
  if (!catalogue) return catalogue.error();
  return catalogue->entries().front().model.name;
}

Result<Planned> plan(const BatchFlags& flags) {
  auto model = model_name(flags);
  if (!model) return model.error();
  auto recipe = make_recipe(flags, *model);
  if (!recipe) return recipe.error();
  auto name = NameTemplate::parse(flags.name);
  if (!name) return name.error();
  auto text = read_source(flags.file);
  if (!text) return text.error();
  const Form form = flags.form.empty() ? guess_form(flags.file == "-" ? "" : flags.file, *text)
                                       : form_from_name(flags.form).value_or(Form::text);
  Entries entries = read_entries(*text, form);
  if (entries.notes.size() > kMostNotes && !flags.check) {
    const std::size_t more = entries.notes.size() - kMostNotes;
    entries.notes.resize(kMostNotes);
    entries.notes.push_back({0, "", "and " + std::to_string(more) + " more such notes"});
  }
  if (!flags.quiet) print_remarks(flags, entries.notes, "note");

  std::random_device random;
  const auto draw = [&random] { return std::uint64_t{random()} << 32 | random(); };
  InputPictures pictures(flags.file == "-" ? fs::path() : fs::path(flags.file).parent_path());
  Planned planned{make_plan(entries.entries, *recipe, pictures, draw), {}};
  auto& errors = planned.plan.errors;
  errors.insert(errors.begin(), entries.errors.begin(), entries.errors.end());
  for (const PlannedJob& job : planned.plan.jobs) {
    if (flags.local && job.request.model != *model)
      errors.push_back({job.line, "/model", "must be \"" + *model + "\", the model of --local"});
  }
  std::stable_sort(errors.begin(), errors.end(),
                   [](const Remark& left, const Remark& right) { return left.line < right.line; });
  if (errors.empty() && planned.plan.jobs.empty()) errors.push_back({0, "", "holds no prompt"});
  if (!errors.empty()) return planned;
  UniqueNames names([&flags](const std::string& file) {
    std::error_code error;
    return fs::exists(flags.out / file, error) || file == kManifestName;
  });
  if (auto named = name_files(planned.plan.jobs, *name, names); !named) return named.error();

  char run[20];
  std::snprintf(run, sizeof run, "%016llx", static_cast<unsigned long long>(draw()));
  planned.header = {run,
                    shown(flags),
                    digest_of_run(flags, *recipe, *text, form),
                    std::string(program::version()),
                    planned.plan.jobs.size(),
                    std::nullopt};
  if (flags.local) planned.header.local = to_json(LocalSettings{fs::absolute(flags.model), flags.engine});
  return planned;
}

ExitCode check(const Terminal& terminal, const BatchFlags& flags) {
  auto planned = plan(flags);
  if (!planned) return fail(terminal, planned.error());
  print_remarks(flags, planned->plan.errors, "error");
  if (!planned->plan.errors.empty()) return ExitCode::usage;
  std::size_t pictures = 0;
  for (const PlannedJob& job : planned->plan.jobs) pictures += job.files.size();
  std::printf("%s: %zu jobs, %zu pictures, the first is %s\n", shown(flags).c_str(),
              planned->plan.jobs.size(), pictures, planned->plan.jobs.front().files.front().c_str());
  return ExitCode::ok;
}

/// A new run in a folder that has none. Prints what is wrong with the file.
Result<Manifest> begin(const BatchFlags& flags) {
  if (Manifest::exists(flags.out)) {
    return bad(flags.out.string() +
               " holds a run already; --resume goes on with it, another --out begins another");
  }
  auto planned = plan(flags);
  if (!planned) return planned.error();
  if (!planned->plan.errors.empty()) {
    print_remarks(flags, planned->plan.errors, "error");
    return bad(std::to_string(planned->plan.errors.size()) + " mistakes in " + shown(flags) +
               ", nothing was rendered");
  }
  std::error_code error;
  fs::create_directories(flags.out, error);
  if (error) return Error{ErrorCode::io_error, flags.out.string() + ": " + error.message()};
  return Manifest::create(flags.out, std::move(planned->header), std::move(planned->plan.jobs));
}

/// The run in the folder. With a file it must be the one that the run began with.
Result<Manifest> go_on(const BatchFlags& flags) {
  if (!Manifest::exists(flags.out)) return bad(flags.out.string() + " holds no run to go on with");
  auto manifest = Manifest::open(flags.out);
  if (!manifest || flags.file.empty()) return manifest;
  auto model = model_name(flags);
  if (!model) return model.error();
  auto recipe = make_recipe(flags, *model);
  if (!recipe) return recipe.error();
  auto text = read_source(flags.file);
  if (!text) return text.error();
  const Form form = flags.form.empty() ? guess_form(flags.file == "-" ? "" : flags.file, *text)
                                       : form_from_name(flags.form).value_or(Form::text);
  if (digest_of_run(flags, *recipe, *text, form) == manifest->header().digest) return manifest;
  return bad(shown(flags) + " or the flags are not those that the run in " + flags.out.string() +
             " began with; --resume without a file finishes it as it began, another --out begins another");
}

/// Every picture that is there, in the order of the run.
std::vector<fs::path> pictures_of_run(const Manifest& manifest, const fs::path& folder) {
  std::vector<fs::path> files;
  for (const PlannedJob& job : manifest.jobs()) {
    for (const std::string& file : job.files) {
      std::error_code error;
      if (fs::is_regular_file(folder / file, error)) files.push_back(folder / file);
    }
  }
  return files;
}

ExitCode finish(const Terminal& terminal, const BatchFlags& flags, Manifest& manifest, bool fresh,
                const Result<RunResult>& result) {
  const auto tell_resume = [&flags](const char* why) {
    std::fprintf(stderr, "%s:\n  %s\n", why, resume_command(flags).c_str());
  };
  if (!result) {
    const ErrorCode code = result.error().code;
    const ExitCode exit = fail(terminal, result.error());
    if (fresh && (code == ErrorCode::unknown_model || code == ErrorCode::unauthorized)) {
      manifest.discard();  // not one job was taken: the next try is a first one
    } else {
      tell_resume("to go on");
    }
    return exit;
  }
  if (result->interrupted) {
    tell_resume("what is done is kept; to go on");
    return ExitCode::interrupted;
  }
  if (!flags.contact_sheet.empty()) {
    const auto pictures = pictures_of_run(manifest, flags.out);
    auto sheets = pictures.empty() ? Result<std::vector<fs::path>>(std::vector<fs::path>())
                                   : write_sheets(flags.contact_sheet, pictures, SheetLayout());
    if (!sheets) return fail(terminal, sheets.error());
    if (!flags.quiet && !flags.hive.json) {
      for (const fs::path& sheet : *sheets) std::printf("%s\n", sheet.c_str());
    }
  }
  if (result->failed == 0) return ExitCode::ok;
  BatchFlags retry = flags;
  std::fprintf(stderr, "to try the failed ones again:\n  %s --retry-failed\n", resume_command(retry).c_str());
  return ExitCode::job_failed;
}

ExitCode batch_command(const Terminal& terminal, BatchFlags flags) {
  const program::StopSignal stop;
  flags.resume = flags.resume || flags.retry_failed;
  if (flags.file.empty() && !flags.resume)
    return fail(terminal, bad("FILE is missing: a file of prompts, or -"));
  if (flags.local && flags.model.empty() && !flags.file.empty()) {
    auto shipped = shipped_model();
    if (!shipped) return fail(terminal, shipped.error());
    flags.model = std::move(shipped).value();
  }
  if (flags.check)
    return flags.file.empty() ? fail(terminal, bad("--check needs a FILE")) : check(terminal, flags);
  if (flags.out.empty()) return fail(terminal, bad("--out DIR is missing: the folder of the pictures"));
  std::error_code exists;
  if (!flags.contact_sheet.empty()) {
    if (auto format = format_of(flags.contact_sheet); !format)
      return fail(terminal, bad("--contact-sheet must end in .png, .jpg or .webp"));
    if (fs::exists(flags.contact_sheet, exists) && !is_sheet(flags.contact_sheet))
      return fail(terminal, bad(flags.contact_sheet.string() + " exists and is no contact sheet"));
  }
  std::unique_ptr<Hive> hive;
  if (!flags.local) {
    auto opened = Hive::open(flags.hive);
    if (!opened) return fail(terminal, opened.error());
    hive = std::move(opened).value();
    // Asked before anything is written: without a queue there is nothing to resume either.
    if (auto there = !flags.resume ? hive->ask(StatsRequest{}) : Result<Reply>(Reply{}); !there)
      return fail(terminal, there.error());
  }
  auto manifest = flags.resume ? go_on(flags) : begin(flags);
  if (!manifest) return fail(terminal, manifest.error());
  if (manifest->header().local.has_value() != flags.local) {
    if (flags.local)
      return fail(terminal, bad("the run in " + flags.out.string() + " is the pool's, not --local"));
    flags.local = true;  // as it began
  }

  RunOptions options;
  options.folder = flags.out;
  options.retry_failed = flags.retry_failed;
  options.window = flags.window > 0 ? flags.window : flags.local ? kLocalWindow : kPoolWindow;
  const auto stops = [&stop] { return stop.count(); };
  const auto reporter =
      make_reporter(terminal, {flags.hive.json, flags.quiet, manifest->header().source, flags.out.string()});
  const auto patience = std::chrono::milliseconds(static_cast<std::int64_t>(flags.patience_s * 1000));
  if (!flags.local) {
    PoolBackend backend(*hive, patience);
    return finish(terminal, flags, *manifest, !flags.resume,
                  batch::run(*manifest, backend, *reporter, stops, options));
  }
  auto settings = local_settings_from_json(*manifest->header().local);
  if (!settings) return fail(terminal, settings.error());
  auto engine = engine_options(settings->engine, settings->model);
  if (!engine) return fail(terminal, engine.error());
  auto catalogue = pipeline::Catalogue::single(settings->model, engine->folders.tokenizer, engine->family);
  if (!catalogue) return fail(terminal, catalogue.error());
  engine->version = std::string(program::version());
  pipeline::Pipeline pipeline(*engine);
  const auto& model = catalogue->entries().front().model;
  if (auto loaded = load_model(pipeline, model, stop); !loaded) return fail(terminal, loaded.error());
  LocalBackend backend(pipeline, model.name);
  return finish(terminal, flags, *manifest, !flags.resume,
                batch::run(*manifest, backend, *reporter, stops, options));
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<BatchFlags>();
  add_batch_flags(app, *flags);
  return [flags](const Terminal& terminal) { return batch_command(terminal, *flags); };
}

}  // namespace

const Command kBatchCommand{
    "batch", "Render a file of prompts into a folder; --resume goes on after any interruption",
    "  waggle batch prompts.txt --out pictures --model sd15 --contact-sheet pictures.png\n"
    "  waggle batch jobs.jsonl --out grid --model sd15 --grid sampler=euler,ddim --grid guidance=5,7.5\n"
    "  waggle batch prompts.csv --out run --local --model models/sd15 --steps 20 --name "
    "\"{index:05}-{seed}\"\n"
    "  waggle batch prompts.txt --out shapes --local                  # with the demo model\n"
    "  waggle batch --resume --out pictures\n"
    "A line of text is a prompt; \"a {red|green} fox\" is two of them; blank lines and lines that begin with "
    "#\n"
    "are passed over; AUTOMATIC1111's --steps 20 --cfg_scale 7 --seed 1 ... may stand in a line. A CSV file\n"
    "has the fields of a job as headings, a JSON line is an object of them. Ctrl-C cancels what is queued.\n",
    attach};

}  // namespace waggle::cli
