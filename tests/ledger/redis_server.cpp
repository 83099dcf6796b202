// Starting and ending redis-server by fork and exec. It is asked over a raw socket, so that the fixture does
// not depend on what it helps to test.
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

// While the append-only file loads, the answer is "-LOADING". One that wants a password first is up.
bool answers_ping(int port) {
  const std::string answer = redis_answer(port, "PING");
  return answer == "+PONG" || answer.starts_with("-NOAUTH");
}

}  // namespace

std::string redis_answer(int port, const std::string& command, const std::string& login) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  const std::string logged_in = "+OK\r\n";
  const std::string line = (login.empty() ? "" : "AUTH " + login + "\r\n") + command + "\r\n";
  bool first = !login.empty();
  std::string text;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size())) {
    std::size_t wanted = std::string::npos;  // known when the first line is
    char bytes[4096];
    while (text.size() < wanted) {
      const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      text.append(bytes, static_cast<std::size_t>(got));
      if (first && text.starts_with(logged_in)) {
        text.erase(0, logged_in.size());
        first = false;
      }
      const std::size_t end = text.find("\r\n");
      if (end == std::string::npos) continue;
      const bool bulk = text[0] == '$' && text[1] != '-';
      wanted = bulk ? end + 2 + std::stoul(text.substr(1)) : end;
    }
    const std::size_t end = text.find("\r\n");
    text = wanted > text.size() ? ""
           : text[0] == '$'     ? text.substr(end + 2, wanted - end - 2)
                                : text.substr(0, end);
  }
  ::close(fd);
  return text;
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

RedisServer::RedisServer(std::string appendfsync, std::vector<std::string> more)
    : appendfsync_(std::move(appendfsync)), more_(std::move(more)) {
  std::string name = (std::filesystem::temp_directory_path() / "waggle-redis-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory for Redis");
  directory_ = name;
  // A copy of the shipped one: Sentinel rewrites the file of a server whose master it changes.
  std::filesystem::copy_file(WAGGLE_REDIS_CONF, directory_ + "/redis.conf");
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
  const std::string conf = directory_ + "/redis.conf";
  std::vector<const char*> argv = {
      "redis-server", conf.c_str(), "--port",           port.c_str(),        "--bind",
      "127.0.0.1",    "--dir",      directory_.c_str(), "--daemonize",       "no",
      "--loglevel",   "warning",    "--appendfsync",    appendfsync_.c_str()};
  for (const std::string& word : more_) argv.push_back(word.c_str());
  argv.push_back(nullptr);
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
