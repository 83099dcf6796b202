// One thread, one poll() over the children's output.
#include "consumer/cli/supervisor.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <poll.h>

namespace waggle::cli {

namespace {
using namespace std::chrono_literals;
constexpr auto kTick = 50ms;
constexpr std::size_t kLastLines = 5;
constexpr std::string_view kSelf = "waggle";  ///< the supervisor's own lines
}  // namespace

Backoff::Milliseconds Backoff::after(Milliseconds lived) {
  if (lived >= kGoodWhile) next_ = kFirst;
  const Milliseconds wait = next_;
  next_ = std::min(next_ * 2, kMost);
  return wait;
}

Supervisor::Supervisor(std::function<void(std::string_view, std::string_view)> print,
                       std::function<int()> stop_requests)
    : print_(std::move(print)), stop_requests_(std::move(stop_requests)) {}

Supervisor::~Supervisor() { stop(); }

Status Supervisor::start(Service service) {
  auto process = ChildProcess::start(service.arguments);
  if (!process) return process.error();
  Running& running = running_.emplace_back();
  running.service = std::move(service);
  running.process = std::move(process).value();
  running.started_at = Clock::now();
  const auto deadline = Clock::now() + running.service.ready_within;
  while (!running.service.ready()) {
    if (stop_requests_() > 0) return Error{ErrorCode::cancelled, "interrupted"};
    pump(kTick);
    if (const auto end = running.process->poll()) {
      pass_on(running, true);
      return not_ready(running, end->text());
    }
    if (Clock::now() > deadline) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(running.service.ready_within);
      return not_ready(running, "was not ready within " + std::to_string(seconds.count()) + " s");
    }
  }
  return Done{};
}

Error Supervisor::not_ready(const Running& running, const std::string& why) const {
  Error error{ErrorCode::unavailable, running.service.name + " " + why};
  for (const std::string& line : running.last_lines) error.message += " | " + line;
  return error;
}

void Supervisor::run() {
  while (stop_requests_() == 0) {
    pump(kTick);
    restart_what_died();
  }
}

void Supervisor::pump(std::chrono::milliseconds timeout) {
  std::vector<pollfd> outputs;
  for (const Running& running : running_) {
    if (running.process) outputs.push_back({running.process->output(), POLLIN, 0});
  }
  poll(outputs.data(), static_cast<nfds_t>(outputs.size()), static_cast<int>(timeout.count()));
  for (Running& running : running_) {
    if (running.process) pass_on(running, false);
  }
}

void Supervisor::pass_on(Running& running, bool rest) {
  for (std::string& line : running.process->lines(rest)) {
    print_(running.service.name, line);
    running.last_lines.push_back(std::move(line));
    if (running.last_lines.size() > kLastLines) running.last_lines.pop_front();
  }
}

void Supervisor::restart_what_died() {
  for (Running& running : running_) {
    if (running.process) {
      const auto end = running.process->poll();
      if (!end) continue;
      pass_on(running, true);
      running.process.reset();
      const auto lived =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - running.started_at);
      const auto wait = running.backoff.after(lived);
      running.restart_at = Clock::now() + wait;
      print_(kSelf, running.service.name + " " + end->text() + "; starting it again in " +
                        std::to_string(wait.count()) + " ms");
    } else if (Clock::now() >= running.restart_at) {
      auto process = ChildProcess::start(running.service.arguments);
      running.started_at = Clock::now();
      if (process) {
        running.process = std::move(process).value();
      } else {
        running.restart_at = Clock::now() + running.backoff.after(0ms);
        print_(kSelf, process.error().message);
      }
    }
  }
}

void Supervisor::stop() {
  for (auto running = running_.rbegin(); running != running_.rend(); ++running) {
    if (!running->process) continue;
    running->process->send_signal(SIGTERM);
    const auto deadline = Clock::now() + running->service.stop_within;
    while (!running->process->poll() && Clock::now() < deadline && stop_requests_() < 2) pump(kTick);
    if (!running->process->poll()) {
      print_(kSelf, running->service.name + " does not stop; killing it");
      running->process->send_signal(SIGKILL);
      running->process->wait(5s);
    }
    pass_on(*running, true);
    running->process.reset();
  }
  running_.clear();
}

std::vector<std::pair<std::string, int>> Supervisor::pids() const {
  std::vector<std::pair<std::string, int>> all;
  for (const Running& running : running_) {
    if (running.process) all.emplace_back(running.service.name, running.process->pid());
  }
  return all;
}

}  // namespace waggle::cli
