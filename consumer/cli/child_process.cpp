// fork and exec by hand: posix_spawn can neither set the parent-death signal nor say why an exec failed.
#include "consumer/cli/child_process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

#include "consumer/program/stop_signal.h"

namespace waggle::cli {

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMaxLine = 16 * 1024;  ///< a longer line is cut in pieces

/// Between fork and exec: only calls that are safe after a fork of a process with threads.
[[noreturn]] void become(char* const* arguments, pid_t parent, int output, int report) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
#else
  (void)parent;
#endif
  setpgid(0, 0);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  program::unblock_stop_signals();
  execvp(arguments[0], arguments);
  const int number = errno;
  [[maybe_unused]] const auto written = write(report, &number, sizeof number);
  _exit(127);
}

Error cannot_start(const std::string& program, int number) {
  return {ErrorCode::unavailable, "cannot start " + program + ": " + std::generic_category().message(number)};
}

}  // namespace

std::string ChildEnd::text() const {
  if (signal == 0) return "ended with exit code " + std::to_string(exit_status);
  return "was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);

  int output[2], report[2];
  if (pipe2(output, O_CLOEXEC) != 0) return cannot_start(arguments[0], errno);
  if (pipe2(report, O_CLOEXEC) != 0) {
    const int number = errno;
    close(output[0]);
    close(output[1]);
    return cannot_start(arguments[0], number);
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(pointers.data(), parent, output[1], report[1]);
  const int fork_number = errno;
  close(output[1]);
  close(report[1]);
  if (pid < 0) {
    close(output[0]);
    close(report[0]);
    return cannot_start(arguments[0], fork_number);
  }
  setpgid(pid, pid);  // whoever of the two comes first
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  ChildProcess child(pid, output[0]);

  // The pipe closes by itself when exec succeeds.
  int number = 0;
  ssize_t got = 0;
  while ((got = read(report[0], &number, sizeof number)) < 0 && errno == EINTR) {
  }
  close(report[0]);
  if (got > 0) return cannot_start(arguments[0], number);
  return child;
}

ChildProcess::~ChildProcess() { finish(); }

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      unfinished_(std::move(other.unfinished_)),
      end_(other.end_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    finish();
    pid_ = std::exchange(other.pid_, -1);
    output_ = std::exchange(other.output_, -1);
    unfinished_ = std::move(other.unfinished_);
    end_ = other.end_;
  }
  return *this;
}

void ChildProcess::finish() noexcept {
  if (pid_ > 0 && !end_) {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (output_ >= 0) close(output_);
  pid_ = -1;
  output_ = -1;
}

std::vector<std::string> ChildProcess::lines(bool rest) {
  std::vector<std::string> complete;
  char buffer[8192];
  while (output_ >= 0) {
    const ssize_t got = read(output_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) {
      // Closed for good: poll() on it would return at once for ever.
      close(output_);
      output_ = -1;
    }
    if (got <= 0) break;
    for (const char c : std::string_view(buffer, static_cast<std::size_t>(got))) {
      if (c != '\n') unfinished_ += c;
      if (c == '\n' || unfinished_.size() >= kMaxLine) complete.push_back(std::exchange(unfinished_, {}));
    }
  }
  if (rest && !unfinished_.empty()) complete.push_back(std::exchange(unfinished_, {}));
  return complete;
}

std::optional<ChildEnd> ChildProcess::poll() {
  if (end_ || pid_ < 0) return end_;
  int status = 0;
  const pid_t reaped = waitpid(pid_, &status, WNOHANG);
  if (reaped != pid_) return std::nullopt;
  end_ = WIFSIGNALED(status) ? ChildEnd{0, WTERMSIG(status)} : ChildEnd{WEXITSTATUS(status), 0};
  return end_;
}

std::optional<ChildEnd> ChildProcess::wait(std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!poll() && Clock::now() < deadline) std::this_thread::sleep_for(5ms);
  return end_;
}

void ChildProcess::send_signal(int signal) {
  if (pid_ > 0 && !end_) kill(-pid_, signal);
}

}  // namespace waggle::cli
