// Flags, recipe, digest.
#include "consumer/cli/batch/settings.h"

#include <iostream>
#include <iterator>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/batch/grid.h"
#include "consumer/cli/batch/input_pictures.h"
#include "consumer/cli/batch/job_fields.h"
#include "consumer/cli/inspect/content_id.h"
#include "consumer/cli/output_file.h"
#include "consumer/cli/up_report.h"
#include "schemas/codec/fields.h"
#include "schemas/codec/json_text.h"

namespace waggle::cli::batch {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 1u << 30;

/// The engine's folders under their names in a manifest.
struct FolderRow {
  const char* name;
  fs::path pipeline::Folders::*folder;
};
constexpr FolderRow kFolders[] = {
    {"lora_dir", &pipeline::Folders::loras},
    {"controlnet_dir", &pipeline::Folders::controlnets},
    {"embeddings_dir", &pipeline::Folders::embeddings},
    {"vae_dir", &pipeline::Folders::vaes},
    {"tokenizer_dir", &pipeline::Folders::tokenizer},
};

/// A ControlNet's picture is entered by its path, as those of --init and --mask are.
void name_control_images(const std::vector<std::string>& images, codec::Object& defaults) {
  auto* controls = std::get_if<codec::Array>(&field(defaults, "controls").value);
  for (std::size_t i = 0; controls != nullptr && i < controls->size(); ++i) {
    auto* control = std::get_if<codec::Object>(&(*controls)[i].value);
    if (control != nullptr)
      field(*control, "image") = {fs::absolute(images[images.size() == 1 ? 0 : i]).string()};
  }
}

}  // namespace

void add_batch_flags(CLI::App& app, BatchFlags& flags) {
  app.add_option("file", flags.file, "Prompts: .jsonl, .csv or text; -: standard input")->type_name("FILE");
  app.add_option("-o,--out", flags.out, "Folder of the pictures and the manifest; made when absent")
      ->type_name("DIR");
  app.add_option(
         "--model", flags.model,
         "Model of jobs that name none: its name in the pool, with --local its folder or checkpoint (default "
         "there: the demo model)")
      ->type_name("NAME");
  app.add_option("--input", flags.form, "jsonl, csv or text, when the file's ending does not say")
      ->check(CLI::IsMember({"jsonl", "csv", "text"}));
  app.add_option("--grid", flags.grid, "Every job with each of these values; axes multiply")
      ->type_name("FIELD=A,B,...")
      ->take_all();
  app.add_option("--wildcards", flags.wildcards,
                 "{red|green} in a prompt: all of them, one by random, or off")
      ->check(CLI::IsMember({"all", "random", "off"}))
      ->capture_default_str();
  app.add_option("--name", flags.name,
                 "Names of the pictures, of {index} {seed} {prompt} {line} {image} and a job's fields")
      ->type_name("TEMPLATE")
      ->capture_default_str();
  app.add_flag("--check", flags.check, "Only say what is wrong with the file, or how many jobs it makes");
  app.add_flag("--resume", flags.resume,
               "Go on with the run in --out: what is done stays, the rest is rendered");
  app.add_flag("--retry-failed", flags.retry_failed,
               "With what --resume does, jobs that failed are tried again");
  app.add_flag("--local", flags.local, "Render in this process, without a queue");
  app.add_option("--window", flags.window, "Jobs in the queue at once (default: 64, with --local 16)")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--contact-sheet", flags.contact_sheet, "At the end, all pictures on one page")
      ->type_name("OUT");
  app.add_option("--patience", flags.patience_s, "Seconds that queen and Redis may be away")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_flag("--quiet", flags.quiet, "Only failures, and the summary when there were any");
  add_setting_flags(app, flags.job);
  add_queue_flags(app, flags.job);
  app.remove_option(app.get_option("--idempotency-key"));  // each job has one of its own
  add_engine_flags(app, flags.engine);
  add_hive_flags(app, flags.hive);
  app.get_option("--json")->description("Print what happens as JSON, one object a line");
}

std::string to_json(const LocalSettings& settings) {
  nlohmann::json object{{"model", settings.model.string()},
                        {"precision", settings.engine.precision},
                        {"device", settings.engine.device},
                        {"threads", settings.engine.threads},
                        {"memory_budget", settings.engine.memory_budget}};
  if (!settings.engine.weight_cache.empty()) {
    object["weight_cache"] = fs::absolute(settings.engine.weight_cache).string();
    object["weight_cache_size"] = settings.engine.weight_cache_size;
  }
  if (!settings.engine.family.empty()) object["family"] = settings.engine.family;
  for (const FolderRow& row : kFolders) {
    // Absolute, so that a run can be resumed from another folder.
    const fs::path& folder = settings.engine.folders.*row.folder;
    if (!folder.empty()) object[row.name] = fs::absolute(folder).string();
  }
  return object.dump();
}

Result<LocalSettings> local_settings_from_json(std::string_view text) {
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    LocalSettings settings;
    settings.model = object.at("model").get<std::string>();
    settings.engine.precision = object.at("precision");
    settings.engine.device = object.at("device");
    settings.engine.threads = object.at("threads");
    settings.engine.memory_budget = object.value("memory_budget", std::uint64_t{0});
    settings.engine.weight_cache = object.value("weight_cache", std::string());
    settings.engine.weight_cache_size = object.value("weight_cache_size", EngineFlags().weight_cache_size);
    settings.engine.family = object.value("family", std::string());
    for (const FolderRow& row : kFolders)
      settings.engine.folders.*row.folder = object.value(row.name, std::string());
    return settings;
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::malformed_message, "the manifest's settings of the engine cannot be read"};
  }
}

Result<std::string> read_source(const std::string& file) {
  if (file != "-") return read_file(file, kMaxFileBytes);
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (text.size() > kMaxFileBytes) return Error{ErrorCode::payload_too_large, "standard input is too large"};
  return text;
}

Result<Recipe> make_recipe(const BatchFlags& flags, const std::string& model) {
  Recipe recipe;
  const auto format = output_format_from_name(flags.job.format);
  if (!format)
    return Error{ErrorCode::invalid_request,
                 "--format must be png, jpeg or webp, is \"" + flags.job.format + "\""};
  // Pictures are entered by their paths, and prompt and model by each job: the rest is checked as `submit`
  // checks it.
  JobFlags plain = flags.job;
  plain.prompt = "-";
  plain.init.reset();
  plain.mask.reset();
  plain.strength.reset();
  auto request = to_request(plain, model.empty() ? "-" : model, *format);
  if (!request) return request.error();
  codec::Document document = codec::encode(*request);
  recipe.defaults = std::get<codec::Object>(std::move(document.value));
  for (const char* name : {"prompt", "operation", "hive_id"}) remove(recipe.defaults, name);
  if (model.empty()) remove(recipe.defaults, "model");
  if (!flags.job.control_images.empty()) name_control_images(flags.job.control_images, recipe.defaults);
  if (flags.job.mask && !flags.job.init) return Error{ErrorCode::invalid_request, "--mask needs --init FILE"};
  const auto absolute = [](const std::string& file) { return fs::absolute(file).string(); };
  if (flags.job.init) field(recipe.defaults, "init") = {absolute(*flags.job.init)};
  if (flags.job.mask) field(recipe.defaults, "mask") = {absolute(*flags.job.mask)};
  if (flags.job.strength) field(recipe.defaults, "strength") = {*flags.job.strength};

  std::vector<Axis> axes;
  for (const std::string& text : flags.grid) {
    auto axis = parse_axis(text);
    if (!axis) return axis.error();
    axes.push_back(std::move(axis).value());
  }
  auto grid = combinations(axes, recipe.most_jobs);
  if (!grid) return grid.error();
  recipe.grid = std::move(grid).value();
  recipe.wildcards = flags.wildcards == "all"      ? Wildcards::all
                     : flags.wildcards == "random" ? Wildcards::random
                                                   : Wildcards::off;
  return recipe;
}

std::string digest_of_run(const BatchFlags& flags, const Recipe& recipe, std::string_view text, Form form) {
  codec::Array grid;
  for (const codec::Object& fields : recipe.grid) grid.push_back({fields});
  const codec::Object all{{"defaults", {recipe.defaults}},
                          {"grid", {std::move(grid)}},
                          {"wildcards", {flags.wildcards}},
                          {"name", {flags.name}},
                          {"form", {static_cast<std::int64_t>(form)}},
                          {"local", {flags.local}},
                          {"text", {content_id(text).value}}};
  return content_id(codec::write_json({all})).value;
}

std::string resume_command(const BatchFlags& flags) {
  std::string command = "waggle batch --resume --out " + shell_word(flags.out.string());
  const auto add = [&command](const char* flag, const std::string& value) {
    command.append(" ").append(flag).append(" ").append(shell_word(value));
  };
  if (!flags.contact_sheet.empty()) add("--contact-sheet", flags.contact_sheet.string());
  if (flags.local) return command;
  const HiveFlags defaults;
  for (const std::string& queen : flags.hive.connect) add("--connect", queen);
  if (flags.hive.redis_url != defaults.redis_url) add("--redis-url", flags.hive.redis_url);
  if (flags.hive.redis_prefix != defaults.redis_prefix) add("--redis-prefix", flags.hive.redis_prefix);
  if (!flags.hive.keys.own.empty()) add("--curve-key", flags.hive.keys.own.string());
  if (!flags.hive.keys.server.empty()) add("--curve-server-key", flags.hive.keys.server.string());
  return command;
}

}  // namespace waggle::cli::batch
