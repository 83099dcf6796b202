// A renderer that only takes its time: each step lasts about as long as asked, each image is one pixel in the
// colour of its seed. For tests and measurements of the queue, where the moments matter and not the pictures.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "consumer/worker/renderer.h"

namespace waggle::worker {

struct NullRendererOptions {
  std::chrono::microseconds step{50'000};  ///< median of a step; the sampled ones spread by a third around it
  std::chrono::milliseconds load{0};       ///< of a model
  std::vector<std::string> models{"null"};
  std::size_t image_bytes = 0;  ///< images are padded to at least this size
};

class NullRenderer final : public Renderer {
 public:
  explicit NullRenderer(NullRendererOptions options);
  ~NullRenderer() override;

  [[nodiscard]] Description describe() const override;
  Status load(const std::string& model) override;
  void unload(const std::string& model) override;
  pipeline::Ticket render(pipeline::RenderJob job) override;
  void cancel(pipeline::Ticket ticket) override;
  [[nodiscard]] pipeline::EngineStats stats() const override;

 private:
  struct Running {
    pipeline::RenderJob job;
    int steps_done = 0, steps_total = 0;
    bool cancelled = false;
  };
  void run();
  void step_all(std::vector<std::pair<pipeline::Ticket, Running*>>& running);
  void finish(Running& running);

  const NullRendererOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, bool> loaded_;
  std::map<pipeline::Ticket, Running> running_;
  pipeline::Ticket next_ticket_ = 1;
  pipeline::EngineStats stats_;
  bool closing_ = false;
  std::mt19937_64 random_{1};
  std::thread thread_;
};

}  // namespace waggle::worker
