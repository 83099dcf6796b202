// `redis-server --sentinel`, three times, each with a configuration of its own: Sentinels rewrite it.
#include "tests/ledger/redis_sentinels.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace waggle::testing {
namespace {

constexpr int kSentinels = 3;

bool says(const std::string& info, std::string_view line) { return info.find(line) != std::string::npos; }

}  // namespace

RedisSentinels::RedisSentinels() {
  directory_ = (std::filesystem::temp_directory_path() / "waggle-sentinels-XXXXXX").string();
  if (::mkdtemp(directory_.data()) == nullptr)
    throw std::runtime_error("no temporary directory for Sentinels");
  for (int i = 0; i < 2; ++i) servers_.push_back(std::make_unique<RedisServer>("everysec"));
  redis_answer(servers_[1]->port(), ("REPLICAOF 127.0.0.1 " + std::to_string(master().port())));
  for (int i = 0; i < kSentinels; ++i) start_sentinel(i);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!settled()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the Sentinels do not find each other");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

RedisSentinels::~RedisSentinels() {
  for (const pid_t pid : pids_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RedisSentinels::start_sentinel(int number) {
  const int port = free_port();
  const std::string path = directory_ + "/sentinel" + std::to_string(number) + ".conf";
  std::ofstream(path)
      << "bind 127.0.0.1\nport " << port << "\ndir " << directory_ << "\nsentinel monitor hive 127.0.0.1 "
      << master().port()
      << " 2\nsentinel down-after-milliseconds hive 500\nsentinel failover-timeout hive 3000\n";
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = ::open((path + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execlp("redis-server", "redis-server", path.c_str(), "--sentinel", nullptr);
    ::_exit(127);
  }
  ports_.push_back(port);
  pids_.push_back(pid);
}

bool RedisSentinels::settled() const {
  if (!says(redis_answer(servers_[1]->port(), "INFO replication"), "master_link_status:up")) return false;
  for (const int port : ports_) {
    const std::string info = redis_answer(port, "INFO sentinel");
    if (!says(info, "status=ok") || !says(info, "slaves=1,sentinels=3")) return false;
  }
  return true;
}

bool RedisSentinels::replicated() const {
  // "slave0:ip=...,offset=1234,lag=0" and "master_repl_offset:1234"
  const std::string info = redis_answer(servers_.front()->port(), "INFO replication");
  const auto number_after = [&](std::string_view mark) {
    const std::size_t at = info.find(mark);
    return at == std::string::npos
               ? std::string()
               : info.substr(at + mark.size(),
                             info.find_first_of(",\r", at + mark.size()) - at - mark.size());
  };
  const std::string replica = number_after(",offset=");
  return !replica.empty() && replica == number_after("master_repl_offset:");
}

std::string RedisSentinels::url() const {
  std::string hosts;
  for (const int port : ports_) {
    if (!hosts.empty()) hosts.append(",");
    hosts.append("127.0.0.1:").append(std::to_string(port));
  }
  return "redis-sentinel://" + hosts + "?master=hive";
}

ledger::Options RedisSentinels::options() const { return ledger::parse_redis_url(url()).value(); }

}  // namespace waggle::testing
