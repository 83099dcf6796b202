// What a sampler is: a coroutine that awaits the denoiser and yields the latents after each model evaluation.
//
//   SamplerCoroutine euler(SamplerContext s, at::Tensor x) {
//     for (int i = s.first; i < s.steps(); ++i) {
//       const at::Tensor out = co_await s.predict(x / sqrt(sigma*sigma + 1), t);
//       ...
//       x = co_yield x;      // the driver may hand back other latents (inpainting keeps what is masked out)
//     }
//     co_return x;
//   }
//
// The driver (the engine, or a test with a closed-form network) resumes it. A sampler never knows how many
// others run.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include <ATen/core/Tensor.h>

namespace waggle::pipeline {

/// One question to the denoiser: the network's input (already scaled) and the timestep handed to it, maybe
/// fractional. Its answer is the network's raw output (epsilon, v or sample) after guidance, shaped as x.
struct Question {
  Question(at::Tensor input, double timestep) : x(std::move(input)), t(timestep) {}
  at::Tensor x;  ///< [1, C, h, w], fp32
  double t;      ///< in units of training timesteps, 0..999
};

/// Owner and driver's handle of one running sampler. Movable, single-threaded.
class SamplerCoroutine {
 public:
  enum class Stop { start, question, step, end };

  struct promise_type {
    Stop stop = Stop::start;
    const Question* question = nullptr;  // lives in the coroutine's frame while it waits
    at::Tensor answer;
    at::Tensor latents;
    std::exception_ptr error;

    SamplerCoroutine get_return_object() { return SamplerCoroutine(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }

    struct AnswerAwaiter {
      promise_type& promise;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept {}
      at::Tensor await_resume() { return std::move(promise.answer); }
    };
    struct StepAwaiter {
      promise_type& promise;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept {}
      at::Tensor await_resume() { return std::move(promise.latents); }
    };

    AnswerAwaiter await_transform(const Question& asked) noexcept {
      question = &asked;
      stop = Stop::question;
      return AnswerAwaiter{*this};
    }
    StepAwaiter yield_value(at::Tensor x) noexcept {
      latents = std::move(x);
      stop = Stop::step;
      return StepAwaiter{*this};
    }
    void return_value(at::Tensor x) {
      latents = std::move(x);
      stop = Stop::end;
    }
  };

  SamplerCoroutine(SamplerCoroutine&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  SamplerCoroutine& operator=(SamplerCoroutine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~SamplerCoroutine() {
    if (handle_) handle_.destroy();
  }

  /// Runs to the next stop. At `question` call answer() before the next advance(). Rethrows what the sampler
  /// threw.
  Stop advance() {
    handle_.resume();
    if (promise().error) std::rethrow_exception(std::exchange(promise().error, nullptr));
    return promise().stop;
  }
  [[nodiscard]] const Question& question() const { return *promise().question; }
  void answer(at::Tensor prediction) { promise().answer = std::move(prediction); }
  /// At `step` and `end`: the latents, [1, C, h, w]. At `step` they may be replaced; a sampler goes on with
  /// them.
  [[nodiscard]] const at::Tensor& latents() const { return promise().latents; }
  void replace_latents(at::Tensor x) { promise().latents = std::move(x); }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit SamplerCoroutine(Handle handle) : handle_(handle) {}
  [[nodiscard]] promise_type& promise() const { return handle_.promise(); }
  Handle handle_;
};

}  // namespace waggle::pipeline
