// Starting, striking and mending.
#include "tests/chaos/stage.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace waggle::chaos {
namespace {

/// The bridge keeps its port over its lives, so it cannot draw one for itself.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

std::string numbered(std::string_view what, int index) { return std::string(what) + std::to_string(index); }

}  // namespace

std::string Stage::redis_url() {
  if (mix_.cut_percent == 0) return redis_.url();
  const Place front = wires_.lay({}, {{}, redis_.port()});
  return "redis://127.0.0.1:" + std::to_string(front.port);
}

bus::Endpoints Stage::over_wires(const std::string& base, const bus::Endpoints& real) {
  if (mix_.cut_percent == 0) return real;
  constexpr std::string_view kIpc = "ipc://";
  const auto lay = [&](const char* name, const std::string& behind) {
    const std::string front = base + name;
    wires_.lay({front, 0}, {behind.substr(kIpc.size()), 0});
    return std::string(kIpc).append(front);
  };
  return {lay(".r", real.requests), lay(".p", real.publish), lay(".c", real.collect)};
}

Stage::Stage(const std::filesystem::path& programs, const std::filesystem::path& folder,
             const std::filesystem::path& model, const Mix& mix, Journal& journal)
    : programs_(programs), folder_(folder), journal_(journal), mix_(mix), bridge_port_(free_port()) {
  const auto program = [&](const char* file) {
    if (!std::filesystem::exists(programs_ / file)) {
      throw std::runtime_error(std::string(file) + " is not in " + programs_.string());
    }
    return (programs_ / file).string();
  };
  const auto log = [&](std::string_view what, int index) {
    return (folder_ / (numbered(what, index) + ".log")).string();
  };
  // A lease that a busy machine can keep most of the time, and loses now and then; or the one as shipped,
  // which plays no part when a killed worker's job moves.
  const std::string lease = mix_.worker_kills_only ? "--lease=15" : "--lease=1";
  std::vector<std::string> connect;
  for (int i = 0; i < kQueens; ++i) {
    const std::string base = (folder_ / numbered("queen", i)).string();
    const bus::Endpoints real{"ipc://" + base + ".requests", "ipc://" + base + ".publish",
                              "ipc://" + base + ".collect"};
    queen_processes_.emplace_back(
        std::vector<std::string>{program("waggle-queen"), "--requests=" + real.requests,
                                 "--publish=" + real.publish, "--collect=" + real.collect,
                                 "--redis-url=" + redis_url(), lease, "--allow-unknown-models"},
        log("queen", i));
    queens_.push_back(over_wires(base, real));
    const bus::Endpoints& at = queens_.back();
    connect.push_back("--connect=" + at.requests + "," + at.publish + "," + at.collect);
  }
  const auto worker = [&](std::vector<Process>& processes, Part part, int index,
                          std::vector<std::string> own) {
    std::vector<std::string> arguments{program("waggle-worker-cpu"),
                                       "--worker-id=" + numbered(name(part), index),
                                       "--redis-url=" + redis_url(),
                                       lease,
                                       "--idle-poll=0.2",
                                       "--drain-timeout=0.5"};
    arguments.insert(arguments.end(), own.begin(), own.end());
    arguments.insert(arguments.end(), connect.begin(), connect.end());
    processes.emplace_back(std::move(arguments), log(name(part), index));
  };
  for (int i = 0; i < kWorkers; ++i) {
    worker(worker_processes_, Part::worker, i, {"--null-renderer=8ms", "--capacity=2"});
  }
  for (int i = 0; i < kModelWorkers && mix_.model_percent > 0; ++i) {
    // One job at a time on one thread, so that the same seed gives the same picture to the last bit.
    worker(model_worker_processes_, Part::model_worker, i,
           {"--model-path=" + model.string(), "--precision=fp32", "--threads=1", "--capacity=1"});
  }
  for (int i = 0; i < kBridges; ++i) {
    std::vector<std::string> arguments{program("waggle-bridge"),
                                       "--listen=127.0.0.1:" + std::to_string(bridge_port_),
                                       "--redis-url=" + redis_url()};
    arguments.insert(arguments.end(), connect.begin(), connect.end());
    bridge_processes_.emplace_back(std::move(arguments), log("bridge", i));
  }
  for (auto* processes :
       {&queen_processes_, &worker_processes_, &model_worker_processes_, &bridge_processes_}) {
    for (Process& started : *processes) started.start();
  }
}

Process& Stage::process(const Blow& blow) {
  const auto index = static_cast<std::size_t>(blow.index);
  switch (blow.part) {
    case Part::queen:
      return queen_processes_.at(index);
    case Part::bridge:
      return bridge_processes_.at(index);
    case Part::model_worker:
      return model_worker_processes_.at(index);
    default:
      return worker_processes_.at(index);
  }
}

void Stage::strike(const Blow& blow) {
  const bool is_down = std::ranges::any_of(
      down_, [&](const Down& down) { return down.blow.part == blow.part && down.blow.index == blow.index; });
  journal_.note(is_down ? "spared" : "blow", {{"part", std::string(name(blow.part))},
                                              {"index", std::to_string(blow.index)},
                                              {"how", std::string(name(blow.how))},
                                              {"at", std::to_string(blow.at)},
                                              {"lasts_ms", std::to_string(blow.lasts.count())}});
  if (is_down) return;
  if (blow.part == Part::wire) {
    // Nothing to mend afterwards.
    const int wire = blow.index % wires_.count();
    blow.how == How::cut ? wires_.cut(wire) : wires_.hang(wire, blow.lasts);
    return;
  }
  if (blow.part == Part::redis) {
    blow.how == How::freeze ? redis_.pause() : redis_.kill9();
  } else if (blow.how == How::kill) {
    process(blow).kill();
    if (blow.part == Part::worker || blow.part == Part::model_worker) {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      killed_.push_back({WorkerId(numbered(name(blow.part), blow.index)),
                         std::chrono::duration_cast<std::chrono::milliseconds>(now).count()});
    }
  } else {
    process(blow).signal(blow.how == How::freeze ? SIGSTOP : SIGTERM);
  }
  down_.push_back({blow, Clock::now() + blow.lasts});
}

void Stage::mend(bool all) {
  look_after();
  for (const Down& down : std::vector<Down>(down_)) {
    if (!all && Clock::now() < down.until) continue;
    // One that drains takes the time it needs.
    if (down.blow.how == How::drain && process(down.blow).running()) continue;
    mend_one(down.blow);
    std::erase_if(down_, [&](const Down& other) {
      return other.blow.part == down.blow.part && other.blow.index == down.blow.index;
    });
  }
}

void Stage::mend_one(const Blow& blow) {
  journal_.note("mended", {{"part", std::string(name(blow.part))}, {"index", std::to_string(blow.index)}});
  if (blow.part == Part::redis) {
    blow.how == How::freeze ? redis_.resume() : redis_.restart();
  } else if (blow.how == How::freeze) {
    process(blow).signal(SIGCONT);
  } else {
    process(blow).start();
  }
}

void Stage::look_after() {
  const auto look = [this](std::vector<Process>& processes, Part part) {
    for (int i = 0; i < std::ssize(processes); ++i) {
      const bool meant = std::ranges::any_of(
          down_, [&](const Down& down) { return down.blow.part == part && down.blow.index == i; });
      if (!meant && !processes[static_cast<std::size_t>(i)].running()) {
        throw std::runtime_error(numbered(name(part), i) + " ended by itself; see its log in " +
                                 folder_.string());
      }
    }
  };
  look(queen_processes_, Part::queen);
  look(worker_processes_, Part::worker);
  look(model_worker_processes_, Part::model_worker);
  look(bridge_processes_, Part::bridge);
}

}  // namespace waggle::chaos
