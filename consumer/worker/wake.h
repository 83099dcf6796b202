// A descriptor that another thread can make readable: what a thread in poll() is woken by.
#pragma once

namespace waggle::worker {

class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  /// From any thread; several before a take() count as one.
  void ring() noexcept;
  /// Whether it was rung since the last time.
  bool take() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return read_end_; }

 private:
  int read_end_ = -1, write_end_ = -1;
};

}  // namespace waggle::worker
