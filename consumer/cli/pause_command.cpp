// `waggle pause` and `waggle resume`.
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "consumer/cli/hive.h"
#include "consumer/cli/report.h"

namespace waggle::cli {

namespace {

struct ModelFlags {
  HiveFlags hive;
  std::string model;
};

std::shared_ptr<ModelFlags> add_flags(CLI::App& app) {
  auto flags = std::make_shared<ModelFlags>();
  app.add_option("model", flags->model, "Name or alias, as `waggle models` lists them")->required();
  add_hive_flags(app, flags->hive);
  return flags;
}

void print(const std::vector<std::string>& models, const char* what) {
  std::string names;
  for (const std::string& model : models) names += (names.empty() ? "" : ", ") + printable(model);
  std::printf("%s: %s\n", names.c_str(), what);
}

Action attach_pause(CLI::App& app) {
  return [flags = add_flags(app)](const Terminal& terminal) {
    return query(terminal, flags->hive, PauseRequest{flags->model}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<Paused>(&body)) {
        print(reply->models, "paused; jobs are still taken in, those that run go on");
      }
    });
  };
}

Action attach_resume(CLI::App& app) {
  return [flags = add_flags(app)](const Terminal& terminal) {
    return query(terminal, flags->hive, ResumeRequest{flags->model}, [](const ReplyBody& body) {
      if (const auto* reply = std::get_if<Resumed>(&body)) print(reply->models, "goes on");
    });
  };
}

}  // namespace

const Command kPauseCommand{"pause", "Start no more jobs of a model until it is resumed",
                            "  waggle pause sdxl\n", attach_pause};
const Command kResumeCommand{"resume", "Start jobs of a paused model again", "  waggle resume sdxl\n",
                             attach_resume};

}  // namespace waggle::cli
