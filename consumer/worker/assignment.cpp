// The race between "render this" and "stop that" is settled here, under the assignment's lock.
#include "consumer/worker/assignment.h"

#include <algorithm>
#include <utility>

namespace waggle::worker {

Assignment::Assignment(ledger::ClaimedJob job)
    : claimed(std::move(job)), claimed_at(Clock::now()), images(claimed.images_done) {}

void Assignment::stop(Stop reason, Renderer& renderer) {
  std::optional<pipeline::Ticket> ticket;
  {
    const std::lock_guard lock(mutex_);
    if (stop_ != Stop::none) return;
    stop_ = reason;
    ticket = ticket_;
  }
  if (ticket) renderer.cancel(*ticket);
}

Stop Assignment::stopped() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void Assignment::rendering(pipeline::Ticket ticket, Renderer& renderer) {
  bool stopped_meanwhile = false;
  {
    const std::lock_guard lock(mutex_);
    ticket_ = ticket;
    stopped_meanwhile = stop_ != Stop::none;
  }
  if (stopped_meanwhile) renderer.cancel(ticket);
}

void Assignments::add(AssignmentPtr assignment) {
  const std::lock_guard lock(mutex_);
  assignments_.push_back(std::move(assignment));
}

void Assignments::remove(const AssignmentPtr& assignment) {
  const std::lock_guard lock(mutex_);
  std::erase(assignments_, assignment);
}

std::vector<AssignmentPtr> Assignments::all() const {
  const std::lock_guard lock(mutex_);
  return assignments_;
}

std::size_t Assignments::size() const {
  const std::lock_guard lock(mutex_);
  return assignments_.size();
}

void Assignments::stop(const JobId& job, Stop reason, Renderer& renderer) {
  for (const auto& assignment : all()) {
    if (assignment->claimed.lease.job == job) assignment->stop(reason, renderer);
  }
}

}  // namespace waggle::worker
