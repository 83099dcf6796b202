// Starting and ending redis-server by fork and exec. Readiness is a PING over a raw socket, so that the
// fixture does not depend on what it helps to test.
#include "tests/ledger/redis_server.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace waggle::testing {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

bool answers_ping(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  char answer[5] = {};
  // While the append-only file loads, the answer is "-LOADING".
  const bool ready = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
                     ::recv(fd, answer, 5, MSG_WAITALL) == 5 && std::string_view(answer, 5) == "+PONG";
  ::close(fd);
  return ready;
}

}  // namespace

RedisServer::RedisServer(std::string appendfsync) : appendfsync_(std::move(appendfsync)) {
  std::string name = (std::filesystem::temp_directory_path() / "waggle-redis-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory for Redis");
  directory_ = name;
  // Another process may take the port between the look and the start.
  for (int i = 0; i < 5; ++i) {
    port_ = free_port();
    if (start()) return;
  }
  std::filesystem::remove_all(directory_);
  throw std::runtime_error("redis-server does not start; is the package redis-server installed?");
}

RedisServer::~RedisServer() {
  stop(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string RedisServer::url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

ledger::Options RedisServer::options() const {
  ledger::Options options;
  options.port = port_;
  return options;
}

bool RedisServer::start() {
  const std::string port = std::to_string(port_);
  const std::vector<const char*> argv = {
      "redis-server", WAGGLE_REDIS_CONF, "--port",           port.c_str(),         "--bind",
      "127.0.0.1",    "--dir",           directory_.c_str(), "--daemonize",        "no",
      "--loglevel",   "warning",         "--appendfsync",    appendfsync_.c_str(), nullptr};
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = ::open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execvp(argv[0], const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (Clock::now() < deadline) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    if (answers_ping(port_)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop(SIGKILL);
  return false;
}

void RedisServer::stop(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void RedisServer::kill9() { stop(SIGKILL); }

void RedisServer::restart() {
  stop(SIGTERM);
  if (!start()) throw std::runtime_error("redis-server does not come back");
}

void RedisServer::pause() { ::kill(pid_, SIGSTOP); }
void RedisServer::resume() { ::kill(pid_, SIGCONT); }

}  // namespace waggle::testing
