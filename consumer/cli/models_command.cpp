// `waggle models`: what the pool serves, or what a folder of models holds.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"
#include "pipeline/catalogue.h"

namespace waggle::cli {

namespace {

void print_names(const char* heading, const std::vector<std::string>& names) {
  if (names.empty()) return;
  std::printf("\n%s\n", heading);
  for (const std::string& name : names) std::printf("%s\n", printable(name).c_str());
}

/// `AdapterLists` of a pool or `AdapterNames` of a folder.
template <class Names>
void print_adapters(const Names& names) {
  print_names("LORAS", names.loras);
  print_names("EMBEDDINGS", names.embeddings);
  print_names("VAES", names.vaes);
  print_names("CONTROLNETS", names.controlnets);
}

void print(const ModelsReply& reply) {
  if (reply.models.empty()) {
    std::puts("no worker serves a model; `waggle workers` shows who is in the pool");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"MODEL", "FAMILY", "WORKERS", "STATE", "ALIASES"}};
  for (const PoolModel& pooled : reply.models) {
    std::string aliases;
    for (const std::string& alias : pooled.model.aliases) {
      aliases += (aliases.empty() ? "" : ", ") + printable(alias);
    }
    rows.push_back({printable(pooled.model.name), printable(pooled.model.family),
                    std::to_string(pooled.workers.size()), pooled.paused ? "paused" : "open", aliases});
  }
  std::fputs(table(rows).c_str(), stdout);
  print_adapters(reply.adapters);
}

/// What a worker with this --models-dir would have.
ExitCode print_folder(const Terminal& terminal, const std::filesystem::path& dir) {
  pipeline::Folders folders;
  pipeline::use_folders_beside(dir, folders);
  const auto catalogue = pipeline::Catalogue::scan(dir, folders.tokenizer);
  if (!catalogue) return fail(terminal, catalogue.error());
  std::vector<std::vector<std::string>> rows{{"MODEL", "FAMILY", "SIZE", "SAMPLER", "ALIASES"}};
  for (const auto& [model, aliases] : catalogue->entries()) {
    std::string all;
    for (const std::string& alias : aliases) all += (all.empty() ? "" : ", ") + printable(alias);
    rows.push_back({printable(model.name), model.family,
                    std::to_string(model.default_width) + "x" + std::to_string(model.default_height),
                    model.default_sampler, all});
  }
  std::fputs(table(rows).c_str(), stdout);
  print_adapters(pipeline::adapter_names(folders));
  for (const std::string& line : catalogue->skipped())
    std::fprintf(stderr, "not a model: %s\n", printable(line).c_str());
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<HiveFlags>();
  auto folder = std::make_shared<std::filesystem::path>();
  add_hive_flags(app, *flags);
  app.add_option("--models-dir", *folder,
                 "List what this folder holds, adapters too, instead of asking the pool")
      ->type_name("DIR");
  return [flags, folder](const Terminal& terminal) {
    if (!folder->empty()) return print_folder(terminal, *folder);
    return query(terminal, *flags, ModelsRequest{}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<ModelsReply>(&body)) print(*reply);
    });
  };
}

}  // namespace

const Command kModelsCommand{
    "models", "List the models that the pool serves, and its LoRAs, embeddings, VAEs and ControlNets",
    "  waggle models\n  waggle models --models-dir models\n", attach};

}  // namespace waggle::cli
