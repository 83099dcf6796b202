// sigwait() on a thread, and a pipe whose first byte stays in it.
#include "consumer/program/stop_signal.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace waggle::program {
namespace {

sigset_t stop_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_end_ = ends[0];
  write_end_ = ends[1];
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  fcntl(write_end_, F_SETFL, O_NONBLOCK);
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  taker_ = std::thread([this] { take_signals(); });
}

StopSignal::~StopSignal() {
  closing_ = true;
  pthread_kill(taker_.native_handle(), SIGTERM);
  taker_.join();
  close(read_end_);
  close(write_end_);
}

void StopSignal::take_signals() {
  const sigset_t set = stop_signals();
  for (int signal = 0; sigwait(&set, &signal) == 0;) {
    if (closing_) return;
    request();
  }
}

bool StopSignal::wait(std::chrono::milliseconds timeout) const {
  pollfd end{read_end_, POLLIN, 0};
  poll(&end, 1, static_cast<int>(timeout.count()));
  return count() > 0;
}

void StopSignal::request() {
  ++count_;
  // A full pipe is readable already, which is all that is asked of it.
  [[maybe_unused]] const auto written = write(write_end_, "!", 1);
}

void unblock_stop_signals() noexcept {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace waggle::program
