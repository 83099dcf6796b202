// One job through the pipeline's face, with all that its callbacks said.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"

namespace waggle::pipeline::testing {

class OneRender {
 public:
  /// `on_step`: called on the engine's thread.
  OneRender(Pipeline& pipeline, JobRequest request, std::function<void(Ticket, int step)> on_step = {}) {
    RenderJob job;
    job.model = request.model;
    job.request = std::move(request);
    job.callbacks.progress = [this, on_step](int step, int total) {
      const std::lock_guard lock(mutex_);
      steps_.emplace_back(step, total);
      changed_.notify_all();
      if (on_step) on_step(ticket_, step);
    };
    job.callbacks.image = [this](RenderedImage image) {
      const std::lock_guard lock(mutex_);
      images_[image.info.index] = std::move(image);
    };
    job.callbacks.end = [this](Result<RenderSummary> end) {
      const std::lock_guard lock(mutex_);
      end_ = std::make_unique<Result<RenderSummary>>(std::move(end));
      changed_.notify_all();
    };
    const std::lock_guard lock(mutex_);  // no step is told before the ticket is known
    ticket_ = pipeline.render(std::move(job));
  }
  ~OneRender() { (void)wait(); }
  OneRender(const OneRender&) = delete;
  OneRender& operator=(const OneRender&) = delete;

  Result<RenderSummary>& wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(240), [this] { return end_ != nullptr; }));
    return *end_;
  }
  void wait_for_steps(std::size_t steps) {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(240), [&] { return steps_.size() >= steps || end_; }));
  }
  [[nodiscard]] std::size_t steps() {
    const std::lock_guard lock(mutex_);
    return steps_.size();
  }
  [[nodiscard]] std::pair<int, int> last_step() {
    const std::lock_guard lock(mutex_);
    return steps_.empty() ? std::pair(0, 0) : steps_.back();
  }
  Picture picture(int index = 0) {
    if (auto& end = wait(); !end) FAIL(to_string(end.error()));
    auto picture = decode(images_.at(index).bytes);
    REQUIRE(picture);
    return std::move(*picture);
  }
  std::string parameters() {
    REQUIRE(wait());
    const auto text = read_text(images_.at(0).bytes);
    REQUIRE(text);
    for (const auto& [key, value] : *text)
      if (key == "parameters") return value;
    return {};
  }
  Error error() {
    auto& end = wait();
    REQUIRE_FALSE(end);
    return end.error();
  }
  [[nodiscard]] Ticket ticket() const { return ticket_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Ticket ticket_ = 0;
  std::vector<std::pair<int, int>> steps_;
  std::map<int, RenderedImage> images_;
  std::unique_ptr<Result<RenderSummary>> end_;
};

inline int largest_difference(const Picture& a, const Picture& b) {
  REQUIRE(a.samples.size() == b.samples.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
}

}  // namespace waggle::pipeline::testing
