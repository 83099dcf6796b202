// Tells the record and then the topics what happens to the jobs in hand, in order, on a thread of its own, so
// that neither Redis nor a slow subscriber holds up a denoising step.
//
// What may be lost is lost first when Redis is slow or away: previews, then progress but for the latest.
// Starts, images and ends are kept and tried again for as long as the lease may stand.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/ledger/ledger.h"
#include "consumer/worker/assignment.h"
#include "consumer/worker/settings.h"

namespace waggle::worker {

/// How an assignment left the worker's hands.
struct Verdict {
  /// Absent: dropped without a word, because the lease was lost or Redis never answered.
  std::optional<ledger::FinishOutcome> outcome{};
  std::optional<Error> error{};  ///< the failure that was reported
  bool completed = false;
};

class Reporter {
 public:
  /// `gone` is called on the reporter's thread, once for each assignment, when it needs no more reports.
  using Gone = std::function<void(const AssignmentPtr&, const Verdict&)>;

  Reporter(const Settings& settings, bus::Context& context, Gone gone);
  /// Gives up on what is still unsaid.
  ~Reporter();

  // From any thread; these return at once.
  void started(const AssignmentPtr& assignment);
  void progress(const AssignmentPtr& assignment, int step, int total);
  void preview(const AssignmentPtr& assignment, pipeline::Preview preview);
  void image(const AssignmentPtr& assignment, pipeline::RenderedImage image);
  /// The rendering is over; the first of several ends counts.
  void end(const AssignmentPtr& assignment, Result<pipeline::RenderSummary> result);
  /// Hands the job back without waiting for the end of the rendering.
  void release(const AssignmentPtr& assignment);

 private:
  struct Release {};
  using End = Result<pipeline::RenderSummary>;
  using Content =
      std::variant<Event, ProgressEvent, pipeline::Preview, pipeline::RenderedImage, End, Release>;
  struct Report {
    AssignmentPtr assignment;
    Content content;
  };

  /// An end on its way into the record.
  struct Closing {
    AssignmentPtr assignment;
    ledger::Ending ending;
    Verdict verdict;
  };

  /// Whether reports of this kind are told to the record several at a time: a batch's jobs step together, and
  /// end together.
  static bool goes_together(const Content& content);
  void push(const AssignmentPtr& assignment, Content content);
  void run();
  /// The next report, and with it those that follow and go together with it.
  std::vector<Report> next();
  void handle(Report& report) noexcept;
  void end_all(std::vector<Report>& reports) noexcept;
  void progress_all(const std::vector<Report>& reports) noexcept;
  void tell(Assignment& assignment, pipeline::Preview& preview);
  void tell(Assignment& assignment, pipeline::RenderedImage& image);
  /// Nothing when the job is to be handed back instead.
  std::optional<Closing> closing(const AssignmentPtr& assignment, const End& result);
  /// Records the ends and takes out what is settled; what stays could not be recorded.
  void record(std::vector<Closing>& ends);
  /// Whether it is settled: not when it is to be tried again. `away` becomes true when Redis did not answer.
  bool settle(Closing& end, const Event& logged, const Result<ledger::FinishOutcome>& outcome, bool& away);
  Verdict give_back(Assignment& assignment);
  void publish(const Event& event);
  /// Repeats the call while Redis is away and the job may still be ours.
  template <class Call>
  auto insist(const Assignment& assignment, Call call) -> decltype(call());

  const Settings& settings_;
  ledger::Ledger ledger_;
  bus::Publisher publisher_;
  const Gone gone_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Report> queue_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace waggle::worker
