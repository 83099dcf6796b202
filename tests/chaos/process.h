// A program that is killed, stopped and started again, always with the same arguments; what it says goes to
// the end of one file. Ends with the object, and with the process when that dies.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace waggle::chaos {

class Process {
 public:
  /// Not started yet.
  Process(std::vector<std::string> arguments, std::string log_path);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  /// From the main thread alone: the kernel ends the child with the thread that started it.
  void start();
  void signal(int number) const;
  /// SIGKILL, and waits for the end.
  void kill();
  /// Whether it runs; one that ended by itself is reaped.
  bool running();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::vector<std::string> arguments_;
  std::string log_path_;
  pid_t pid_ = -1;
};

}  // namespace waggle::chaos
