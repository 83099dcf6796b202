// A non-blocking pipe.
#include "consumer/worker/wake.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace waggle::worker {

Wake::Wake() {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_end_ = ends[0];
  write_end_ = ends[1];
  for (const int end : ends) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, O_NONBLOCK);
  }
}

Wake::~Wake() {
  close(read_end_);
  close(write_end_);
}

void Wake::ring() noexcept {
  // A full pipe has been rung already.
  [[maybe_unused]] const auto written = write(write_end_, "!", 1);
}

bool Wake::take() noexcept {
  char bytes[64];
  bool rung = false;
  while (read(read_end_, bytes, sizeof bytes) > 0) rung = true;
  return rung;
}

}  // namespace waggle::worker
