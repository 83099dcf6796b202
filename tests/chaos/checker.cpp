// The promises, one function each.
#include "tests/chaos/checker.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "pipeline/image/picture.h"

namespace waggle::chaos {
namespace {

using Complaints = std::vector<std::string>;

std::pair<std::uint64_t, std::uint64_t> parts(const EventId& id) {
  std::pair<std::uint64_t, std::uint64_t> numbers;
  const char* end = id.value.data() + id.value.size();
  const auto dash = std::from_chars(id.value.data(), end, numbers.first).ptr;
  if (dash != end) std::from_chars(dash + 1, end, numbers.second);
  return numbers;
}

/// The bridge's word for an event.
std::string_view stream_name(const EventBody& body) {
  if (std::holds_alternative<CompletedEvent>(body)) return "complete";
  if (std::holds_alternative<FailedEvent>(body) || std::holds_alternative<DeadEvent>(body) ||
      std::holds_alternative<ExpiredEvent>(body)) {
    return "error";
  }
  return name(body);
}

bool may_be_skipped(const EventBody& body) {
  return std::holds_alternative<ProgressEvent>(body) || std::holds_alternative<PreviewEvent>(body);
}

/// One end, at the end, and the record says the same.
void check_end(const Kept& kept, Complaints& complaints) {
  const JobStatus& status = *kept.status;
  if (!is_terminal(status.state)) {
    complaints.push_back("never ended: it is " + std::string(name(status.state)));
  }
  const auto ends = std::ranges::count_if(kept.events, [](const Event& e) { return is_terminal(e.body); });
  if (ends != 1) complaints.push_back("its log holds " + std::to_string(ends) + " ends");
  if (kept.events.empty()) return;
  const EventBody& last = kept.events.back().body;
  if (ends > 0 && !is_terminal(last)) {
    complaints.push_back("an event after the end: " + std::string(name(last)));
  }
  if (is_terminal(last) && name(last) != name(status.state)) {
    complaints.push_back("its log ends with " + std::string(name(last)) + ", its record says " +
                         std::string(name(status.state)));
  }
}

/// Attempts follow each other; nothing of an attempt comes after it is over.
void check_attempts(const Kept& kept, Complaints& complaints) {
  if (kept.events.empty() || !std::holds_alternative<QueuedEvent>(kept.events.front().body)) {
    complaints.push_back("its log does not begin with queued");
  }
  int attempt = 0, step = 0;
  bool running = false;
  for (const Event& event : kept.events) {
    const std::string what = std::string(name(event.body)) + " of attempt " + std::to_string(event.attempt);
    if (std::holds_alternative<StartedEvent>(event.body)) {
      if (event.attempt <= attempt) complaints.push_back(what + " when it had been started before");
      if (running) complaints.push_back(what + " while another attempt ran");
      attempt = event.attempt;
      running = true;
      step = 0;
      continue;
    }
    const auto* progress = std::get_if<ProgressEvent>(&event.body);
    if (progress != nullptr || std::holds_alternative<PreviewEvent>(event.body) ||
        std::holds_alternative<CompletedEvent>(event.body)) {
      if (!running) complaints.push_back(what + " when no attempt ran");
      if (event.attempt != attempt) complaints.push_back(what + " of a stale attempt");
    }
    if (progress != nullptr) {
      if (progress->step < step) complaints.push_back(what + " went back");
      step = progress->step;
    }
    if (std::holds_alternative<RetriedEvent>(event.body)) {
      // A worker may vanish between its claim and its first word.
      if (event.attempt < attempt) complaints.push_back(what + " of a stale attempt");
      attempt = event.attempt;
      running = false;
    }
  }
}

void check_dead(const PlannedJob& planned, const Kept& kept, Complaints& complaints) {
  const JobStatus& status = *kept.status;
  if (status.state == JobState::dead && std::ssize(status.attempts) != planned.request.max_attempts) {
    complaints.push_back("dead with " + std::to_string(status.attempts.size()) + " errors after " +
                         std::to_string(planned.request.max_attempts) + " attempts");
  }
  if (status.state == JobState::failed) complaints.push_back("failed, which nothing here is a reason for");
  if (status.state == JobState::expired && !planned.request.deadline_s) {
    complaints.push_back("expired without a deadline");
  }
}

void check_images(const PlannedJob& planned, const Kept& kept, Complaints& complaints) {
  if (kept.status->state != JobState::completed) return;
  if (std::ssize(kept.status->images) != planned.request.n) {
    complaints.push_back("completed with " + std::to_string(kept.status->images.size()) + " images of " +
                         std::to_string(planned.request.n));
  }
  for (int index = 0; index < planned.request.n; ++index) {
    const std::string what = "image " + std::to_string(index);
    const auto bytes = kept.images.find(index);
    if (bytes == kept.images.end()) {
      complaints.push_back(what + " is missing");
      continue;
    }
    const auto picture = pipeline::decode(bytes->second);
    if (!picture || picture->samples.size() < 3) {
      complaints.push_back(what + " cannot be read");
      continue;
    }
    const auto record = std::ranges::find(kept.status->images, index, &ImageInfo::index);
    if (record == kept.status->images.end() || record->seed != *planned.request.seed + index) {
      complaints.push_back(what + " is not recorded with its seed");
    }
    if (planned.request.model == kRealModel) continue;  // PictureAlbum compares those
    std::int64_t shown = 0;
    for (std::size_t i = 0; i < 3; ++i) shown = shown << 8 | picture->samples[i];
    if (shown != *planned.request.seed + index) {
      complaints.push_back(what + " is that of seed " + std::to_string(shown) + ", not of " +
                           std::to_string(*planned.request.seed + index));
    }
  }
}

void check_cancel(const PlannedJob& planned, const Told& told, const Kept& kept, Complaints& complaints) {
  const JobState state = kept.status->state;
  if (state == JobState::cancelled && !planned.cancel_at) complaints.push_back("cancelled by nobody");
  if (told.cancel == CancelAnswer::ended && state != JobState::cancelled) {
    complaints.push_back("told that it was cancelled, it is " + std::string(name(state)));
  }
  // The deadline may come first; a result may not.
  if (told.cancel == CancelAnswer::running && state != JobState::cancelled && state != JobState::expired) {
    complaints.push_back("told that its cancel was noted, it is " + std::string(name(state)));
  }
  if (planned.cancel_at && told.cancel == CancelAnswer::none) {
    complaints.push_back("its cancel was never answered");
  }
}

/// Each event once, in order, none missing, and the last line that fits.
void check_stream(const PlannedJob& planned, const Told& told, const Kept& kept, Complaints& complaints) {
  if (!planned.streamed) return;
  for (std::size_t i = 1; i < told.stream.size(); ++i) {
    if (parts(told.stream[i].id) <= parts(told.stream[i - 1].id)) {
      complaints.push_back("the stream told " + told.stream[i].name + " " + told.stream[i].id.value +
                           " after " + told.stream[i - 1].id.value);
    }
  }
  auto seen = told.stream.begin();
  for (const Event& event : kept.events) {
    if (seen != told.stream.end() && seen->id == event.id) {
      if (seen->name != stream_name(event.body)) {
        complaints.push_back("the stream called " + std::string(name(event.body)) + " " + seen->name);
      }
      ++seen;
    } else if (!may_be_skipped(event.body)) {
      complaints.push_back("the stream left out " + std::string(name(event.body)) + " " + event.id.value);
    }
  }
  if (seen != told.stream.end()) {
    complaints.push_back("the stream told " + seen->name + " " + seen->id.value +
                         ", which is not in the log");
  }
  const JobState state = kept.status->state;
  const std::string_view wanted = state == JobState::completed   ? "[DONE]"
                                  : state == JobState::cancelled ? "[CANCELLED]"
                                                                 : "[ERROR]";
  if (!told.last_line.starts_with(wanted)) {
    complaints.push_back("the stream ended with \"" + told.last_line + "\", not with " + std::string(wanted));
  }
}

/// The topics may lose and repeat, but never invent.
void check_bus(const Told& told, const Kept& kept, Complaints& complaints) {
  for (const SeenEvent& seen : told.bus) {
    const auto logged = std::ranges::find(kept.events, seen.id, &Event::id);
    if (logged == kept.events.end() || name(logged->body) != seen.name) {
      complaints.push_back("the bus told " + seen.name + " " + seen.id.value + ", which is not in the log");
    }
  }
}

}  // namespace

std::vector<std::string> check_job(const PlannedJob& planned, const Told& told, const Kept& kept) {
  Complaints complaints;
  if (told.ids.empty()) return {"never accepted"};
  if (told.ids.size() > 1) complaints.push_back("accepted under two ids");
  if (!kept.status) {
    complaints.push_back("lost: the ledger has no record of it");
    return complaints;
  }
  check_end(kept, complaints);
  check_attempts(kept, complaints);
  check_dead(planned, kept, complaints);
  check_images(planned, kept, complaints);
  check_cancel(planned, told, kept, complaints);
  check_stream(planned, told, kept, complaints);
  check_bus(told, kept, complaints);
  return complaints;
}

std::vector<std::string> PictureAlbum::check(const PlannedJob& planned, const Kept& kept) {
  const auto bytes = kept.images.find(0);
  if (planned.request.model != kRealModel || bytes == kept.images.end()) return {};
  auto picture = pipeline::decode(bytes->second);
  if (!picture) return {};  // check_job complains
  ++pictures_;
  const std::int64_t seed = planned.request.seed.value_or(0);
  const auto [known, is_first] = by_seed_.try_emplace(seed, picture->samples);
  if (!is_first) {
    if (known->second == picture->samples) return {};
    return {"its picture is not that of other jobs with the seed " + std::to_string(seed)};
  }
  for (const auto& [other, samples] : by_seed_) {
    if (other != seed && samples == picture->samples) {
      return {"its picture is that of the seed " + std::to_string(other) + ", not of " +
              std::to_string(seed)};
    }
  }
  return {};
}

std::vector<std::string> check_whole(const Plan& plan, const StatsReply& stats) {
  Complaints complaints;
  if (stats.queued != 0 || stats.running != 0) {
    complaints.push_back(std::to_string(stats.queued) + " jobs queued and " + std::to_string(stats.running) +
                         " running when all should have ended");
  }
  const std::int64_t records = stats.queued + stats.running + stats.completed + stats.failed +
                               stats.cancelled + stats.expired + stats.dead;
  if (records != std::ssize(plan.jobs)) {
    complaints.push_back(std::to_string(records) + " records of " + std::to_string(plan.jobs.size()) +
                         " jobs");
  }
  return complaints;
}

}  // namespace waggle::chaos
