// `waggle up`: a whole pool on this machine, for trying out, for development and for one machine in earnest
// (--data).
//
// Redis and the queen listen on sockets in a private folder, so nothing but the bridge has a port, and two
// pools on one machine cannot meet.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "consumer/cli/command.h"
#include "consumer/cli/hive.h"
#include "consumer/cli/http_probe.h"
#include "consumer/cli/private_folder.h"
#include "consumer/cli/supervisor.h"
#include "consumer/cli/up_report.h"
#include "consumer/program/stop_signal.h"

namespace waggle::cli {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct UpFlags {
  fs::path model, models_dir, data, redis_conf, token_file;
  std::vector<std::string> worker_flags;
  std::string worker_program = "waggle-worker-cpu", redis_server = "redis-server", host = "127.0.0.1";
  int port = 0, workers = 1;
  std::optional<double> lease_s;
  bool json = false, quiet = false, insecure_bind = false;
};

/// The endpoints of one pool and the command lines of its parts.
class Pool {
 public:
  static Result<std::unique_ptr<Pool>> plan(const UpFlags& flags) {
    auto pool = std::unique_ptr<Pool>(new Pool(flags));
    for (const std::string& name :
         {std::string("waggle-queen"), flags.worker_program, std::string("waggle-bridge")}) {
      auto program = sibling_program(name);
      if (!program) return program.error();
      pool->programs_.push_back(program->string());
    }
    auto conf = flags.redis_conf.empty() ? shipped_redis_conf() : Result<fs::path>(flags.redis_conf);
    if (!conf) return conf.error();
    pool->redis_conf_ = std::move(conf).value();
    auto model = names_no_model(flags) ? shipped_model() : Result<fs::path>(flags.model);
    if (!model) return model.error();
    pool->model_ = std::move(model).value();
    std::error_code error;
    fs::create_directories(pool->data_, error);
    if (error) return Error{ErrorCode::io_error, pool->data_.string() + ": " + error.message()};
    HiveFlags hive;
    hive.connect = {pool->endpoints_.connect};
    hive.redis_url = pool->endpoints_.redis_url;
    hive.timeout_s = 0.5;
    auto opened = Hive::open(hive);
    if (!opened) return opened.error();
    pool->hive_ = std::move(opened).value();
    return pool;
  }

  [[nodiscard]] std::vector<Service> services() {
    std::vector<Service> all{redis(), queen()};
    for (int i = 1; i <= flags_.workers; ++i) all.push_back(worker("worker-" + std::to_string(i)));
    all.push_back(bridge());
    return all;
  }
  [[nodiscard]] const PoolEndpoints& endpoints() const { return endpoints_; }

 private:
  explicit Pool(const UpFlags& flags) : flags_(flags), folder_("waggle-") {
    data_ = flags.data.empty() ? folder_.path() / "data" : fs::absolute(flags.data);
    const std::string socket = "ipc://" + folder_.path().string() + "/";
    queen_ = {socket + "requests", socket + "publish", socket + "collect"};
    const int port = flags.port > 0 ? flags.port : free_port();
    endpoints_.connect = queen_.requests + "," + queen_.publish + "," + queen_.collect;
    endpoints_.redis_url = "unix://" + (folder_.path() / "redis").string();
    endpoints_.host = flags.host;
    endpoints_.port = port;
    endpoints_.data = data_.string();
  }

  Service redis() {
    return {"redis",
            {flags_.redis_server, redis_conf_.string(), "--port", "0", "--unixsocket",
             (folder_.path() / "redis").string(), "--unixsocketperm", "700", "--dir", data_.string(),
             "--daemonize", "no", "--logfile", ""},
            [this] { return hive_->ledger().ping().has_value(); }};
  }
  Service queen() {
    Service service{"queen",
                    {programs_[0], "--requests", queen_.requests, "--publish", queen_.publish, "--collect",
                     queen_.collect, "--redis-url", endpoints_.redis_url},
                    [this] { return hive_->ask(StatsRequest{}).has_value(); }};
    if (flags_.lease_s)
      service.arguments.insert(service.arguments.end(), {"--lease", std::to_string(*flags_.lease_s)});
    return service;
  }
  /// Nothing says what to serve, neither a flag of ours nor one that is handed to the workers.
  [[nodiscard]] static bool names_no_model(const UpFlags& flags) {
    return flags.model.empty() && flags.models_dir.empty() &&
           std::none_of(flags.worker_flags.begin(), flags.worker_flags.end(), [](const std::string& flag) {
             return flag.starts_with("--model") || flag.starts_with("--null-renderer");
           });
  }

  /// Workers that take all processors each would be slower together than one.
  [[nodiscard]] bool divides_processors() const {
    return flags_.workers > 1 && flags_.worker_program == "waggle-worker-cpu" &&
           std::none_of(flags_.worker_flags.begin(), flags_.worker_flags.end(),
                        [](const std::string& flag) { return flag.starts_with("--share"); });
  }

  Service worker(const std::string& id) {
    Service service{id,
                    {programs_[1], "--worker-id", id, "--connect", endpoints_.connect, "--redis-url",
                     endpoints_.redis_url, "--drain-timeout", "5"},
                    [this, id] { return is_in_service(WorkerId(id)); },
                    600s,  // the weights of a large model from a slow disk
                    15s};
    const auto add = [&service](std::vector<std::string> words) {
      service.arguments.insert(service.arguments.end(), words.begin(), words.end());
    };
    // One model is loaded before "ready" is said, so that broken weights show here and not with the first
    // job.
    if (!model_.empty()) add({"--model-path", fs::absolute(model_).string(), "--preload"});
    if (!flags_.models_dir.empty()) add({"--models-dir", fs::absolute(flags_.models_dir).string()});
    if (flags_.lease_s) add({"--lease", std::to_string(*flags_.lease_s)});
    if (divides_processors()) add({"--share", std::to_string(flags_.workers)});
    add(flags_.worker_flags);
    return service;
  }
  Service bridge() {
    Service service{"bridge",
                    {programs_[2], "--listen", flags_.host + ":" + std::to_string(endpoints_.port),
                     "--connect", endpoints_.connect, "--redis-url", endpoints_.redis_url},
                    [this] { return answers_ok(endpoints_.host, endpoints_.port, "/ready"); }};
    if (flags_.insecure_bind) service.arguments.emplace_back("--insecure-bind");
    if (!flags_.token_file.empty()) {
      service.arguments.insert(service.arguments.end(), {"--token-file", flags_.token_file.string()});
    }
    return service;
  }

  bool is_in_service(const WorkerId& id) {
    auto reply = hive_->ask(WorkersRequest{});
    if (!reply) return false;
    const auto* workers = std::get_if<WorkersReply>(&reply->body);
    if (workers == nullptr) return false;
    for (const WorkerInfo& worker : workers->workers) {
      if (worker.id == id) return worker.state == WorkerState::idle || worker.state == WorkerState::busy;
    }
    return false;
  }

  const UpFlags& flags_;
  PrivateFolder folder_;
  fs::path model_, data_, redis_conf_;
  std::vector<std::string> programs_;  ///< queen, worker, bridge
  bus::Endpoints queen_;
  PoolEndpoints endpoints_;
  std::unique_ptr<Hive> hive_;
};

ExitCode up(const Terminal& terminal, const UpFlags& flags) {
  const program::StopSignal stop;  // before any thread, and so before ZeroMQ's
  auto pool = Pool::plan(flags);
  if (!pool) return fail(terminal, pool.error());
  LogPrinter log(terminal, flags.quiet);
  Supervisor supervisor([&log](std::string_view service, std::string_view line) { log.print(service, line); },
                        [&stop] { return stop.count(); });
  for (Service& service : (*pool)->services()) {
    log.print("waggle", "starting " + service.name);
    const Status started = supervisor.start(std::move(service));
    if (started) continue;
    supervisor.stop();
    return started.error().code == ErrorCode::cancelled ? ExitCode::interrupted
                                                        : fail(terminal, started.error());
  }
  PoolEndpoints endpoints = (*pool)->endpoints();
  endpoints.pids = supervisor.pids();
  std::fputs((flags.json ? endpoints_json(endpoints) : endpoints_text(endpoints)).c_str(), stdout);
  std::fflush(stdout);
  supervisor.run();
  log.print("waggle", "stopping");
  supervisor.stop();
  return ExitCode::ok;
}

Action attach(CLI::App& app) {
  auto flags = std::make_shared<UpFlags>();
  auto* model =
      app.add_option("--model", flags->model,
                     "Diffusers folder or .safetensors checkpoint to serve (default: the demo model)")
          ->type_name("DIR")
          ->check(CLI::ExistingPath);
  app.add_option("--models-dir", flags->models_dir, "Folder of models to serve")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->excludes(model);
  app.add_option("--host", flags->host, "Address that the bridge listens on")->capture_default_str();
  app.add_option("--port", flags->port, "Port of the bridge, 0: a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_flag("--insecure-bind", flags->insecure_bind,
               "Let the bridge listen beyond loopback without tokens");
  app.add_option("--token-file", flags->token_file, "Bearer tokens that the bridge asks for, one a line")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_option("--data", flags->data, "Keep jobs and images here (default: gone at exit)")
      ->type_name("DIR");
  app.add_option("--workers", flags->workers, "How many workers; they divide the processors")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--worker-program", flags->worker_program, "Which worker")
      ->check(CLI::IsMember({"waggle-worker-cpu", "waggle-worker-cuda", "waggle-worker-metal"}))
      ->capture_default_str();
  app.add_option("--worker-flag", flags->worker_flags,
                 "Handed to each worker, such as --worker-flag=--precision=fp32")
      ->type_name("FLAG")
      ->take_all();
  app.add_option("--lease", flags->lease_s, "Seconds after which a silent worker loses its jobs")
      ->check(CLI::Range(0.1, 3600.0));
  app.add_option("--redis-server", flags->redis_server, "The Redis program")->capture_default_str();
  app.add_option("--redis-conf", flags->redis_conf, "In place of the shipped redis.conf")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  app.add_flag("--json", flags->json, "Print the endpoints as one line of JSON when all is ready");
  app.add_flag("--quiet", flags->quiet, "Show only warnings and errors of the parts");
  return [flags](const Terminal& terminal) { return up(terminal, *flags); };
}

}  // namespace

const Command kUpCommand{"up",
                         "Run a whole pool here: Redis, queen, worker and bridge; Ctrl-C stops all of it",
                         "  waggle up\n"
                         "  waggle up --model models/sd15\n"
                         "  waggle up --models-dir models --port 8080 --data /var/lib/waggle\n",
                         attach};

}  // namespace waggle::cli
