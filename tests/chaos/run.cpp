// The loop of a run, and the gathering of evidence.
#include "tests/chaos/run.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/chaos/checker.h"

namespace waggle::chaos {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kQuestions = 20;  // to the queens at once
constexpr std::int64_t kOpenJobs = 40;  // queued or running at once: the blows shall meet jobs at work
constexpr int kStreamThreads = 6;
constexpr auto kLookEvery = 25ms;
constexpr auto kStuckAfter = 60s;
constexpr auto kLongest = 2min;  // a run with no jobs, and what each adds, on a machine that does much else
constexpr auto kLongestJob = 500ms;

/// Short waits: the loop must go on to mend what it waits for.
ledger::Options impatient(ledger::Options options) {
  options.connect_timeout = options.command_timeout = 300ms;
  return options;
}

}  // namespace

Run::Run(Plan plan, const std::filesystem::path& programs, const std::filesystem::path& folder,
         const std::filesystem::path& model)
    : plan_(std::move(plan)),
      journal_((folder / "operations.jsonl").string()),
      stage_(programs, folder, model, plan_.mix, journal_),
      ledger_(impatient(stage_.redis().options())),
      client_(context_, stage_.queens(),
              [this](int number, const RequestBody& asked, const ReplyBody& reply) {
                take(number, asked, reply);
              }),
      streams_(stage_.bridge_port(), kStreamThreads),
      bus_(context_, stage_.queens()) {}

template <class Call>
auto Run::insist(Call call) {
  auto result = call();
  for (int i = 0; i < 20 && redis_answers_ && !result && result.error().code == ErrorCode::unavailable; ++i) {
    result = call();
  }
  if (!result && result.error().code == ErrorCode::unavailable && std::exchange(redis_answers_, false)) {
    complaints_.push_back("Redis does not answer when all is over: " + to_string(result.error()));
  }
  return result;
}

Verdict Run::go() {
  const auto start = Clock::now();
  // A part that cannot be mended is a finding, and no reason to say nothing about the rest.
  try {
    run();
    stage_.mend(true);
  } catch (const std::exception& error) {
    complaints_.emplace_back(error.what());
  }
  Verdict verdict = judge();
  verdict.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return verdict;
}

void Run::run() {
  const auto latest = Clock::now() + kLongest + plan_.jobs.size() * kLongestJob;
  while (!finished()) {
    stage_.mend();
    strike_due();
    submit_more();
    cancel_due();
    client_.pump(2ms);
    const bool late = Clock::now() > latest;
    if (!late && moves()) continue;
    complaints_.push_back((late ? "it takes too long: " : "nothing has moved for a minute: ") +
                          std::to_string(client_.waiting()) + " questions and " +
                          std::to_string(streams_.waiting()) + " streams are open, " +
                          std::to_string(stats_.queued) + " jobs wait and " + std::to_string(stats_.running) +
                          " run");
    return;
  }
}

bool Run::finished() const {
  return next_job_ == plan_.jobs.size() && next_blow_ == plan_.blows.size() && stage_.whole() &&
         cancels_.empty() && client_.waiting() == 0 && streams_.waiting() == 0 &&
         stats_.queued + stats_.running == 0;
}

void Run::submit_more() {
  while (next_job_ < plan_.jobs.size() && client_.waiting() < kQuestions &&
         stats_.queued + stats_.running + static_cast<std::int64_t>(client_.waiting()) < kOpenJobs) {
    const PlannedJob& job = plan_.jobs[next_job_++];
    client_.ask(job.number, SubmitRequest{job.request});
  }
}

void Run::cancel_due() {
  // After the last acceptance nothing comes that a later place could wait for.
  const bool all = accepted_ == static_cast<int>(plan_.jobs.size());
  while (!cancels_.empty() && (all || cancels_.begin()->first <= accepted_)) {
    const int number = cancels_.begin()->second;
    cancels_.erase(cancels_.begin());
    journal_.note("cancel", {{"job", std::to_string(number)}});
    client_.ask(number, CancelRequest{*told_.at(number).ids.begin()});
  }
}

void Run::strike_due() {
  while (next_blow_ < plan_.blows.size() && plan_.blows[next_blow_].at <= accepted_) {
    stage_.strike(plan_.blows[next_blow_++]);
  }
}

void Run::take(int number, const RequestBody& asked, const ReplyBody& reply) {
  Told& told = told_[number];
  const PlannedJob& planned = plan_.jobs[static_cast<std::size_t>(number)];
  const std::string label = std::to_string(number);
  if (const auto* accepted = std::get_if<Accepted>(&reply)) {
    const bool first = told.ids.empty();
    told.ids.insert(accepted->job);
    if (!first) return;
    ++accepted_;
    journal_.note("accepted", {{"job", label}, {"id", accepted->job.value}});
    if (planned.cancel_at) cancels_.emplace(*planned.cancel_at, number);
    if (planned.streamed) streams_.follow(planned, accepted->job);
    return;
  }
  const bool is_cancel = std::holds_alternative<CancelRequest>(asked);
  if (const auto* cancelled = std::get_if<CancelAccepted>(&reply); is_cancel && cancelled != nullptr) {
    journal_.note("cancel answered", {{"job", label}, {"state", std::string(name(cancelled->state))}});
    told.cancel = cancelled->state == JobState::cancelled ? CancelAnswer::ended
                                                          : std::max(told.cancel, CancelAnswer::running);
    return;
  }
  const auto* rejected = std::get_if<Rejected>(&reply);
  const std::string why = rejected != nullptr ? to_string(rejected->error) : "an answer to another question";
  journal_.note("refused", {{"job", label}, {"why", why}});
  if (is_cancel && rejected != nullptr && rejected->error.code == ErrorCode::job_already_ended) {
    if (told.cancel == CancelAnswer::none) told.cancel = CancelAnswer::already_ended;
    return;
  }
  complaints_.push_back("job " + label + ": refused: " + why);
}

bool Run::moves() {
  const auto now = Clock::now();
  if (now < next_look_) return now - moved_at_ < kStuckAfter;
  next_look_ = now + kLookEvery;
  const auto stats = ledger_.stats();
  if (stats && !(*stats == stats_)) {
    stats_ = *stats;
    moved_at_ = now;
  }
  return now - moved_at_ < kStuckAfter;
}

Kept Run::kept(const JobId& id) {
  Kept kept;
  if (auto status = insist([&] { return ledger_.status(id); })) kept.status = std::move(status).value();
  if (auto page = insist([&] { return ledger_.events(id, EventId()); })) {
    kept.events = std::move(page->events);
  }
  if (!kept.status) return kept;
  for (const ImageInfo& info : kept.status->images) {
    if (auto bytes = insist([&] { return ledger_.image(id, info.index); })) {
      kept.images[info.index] = std::move(bytes).value();
    }
  }
  return kept;
}

void Run::note_moves(const Kept& kept, Verdict& verdict) const {
  const Event *started = nullptr, *retried = nullptr;
  for (const Event& event : kept.events) {
    if (std::holds_alternative<RetriedEvent>(event.body)) retried = &event;
    if (!std::holds_alternative<StartedEvent>(event.body)) continue;
    if (started != nullptr && retried != nullptr) {
      const WorkerId& worker = std::get<StartedEvent>(started->body).worker;
      const auto killed = std::ranges::find_if(stage_.killed(), [&](const KilledWorker& blow) {
        return blow.worker == worker && blow.at_ms >= started->at_ms && blow.at_ms < retried->at_ms;
      });
      if (killed != stage_.killed().end()) {
        const double backoff_ms = 1000 * std::get<RetriedEvent>(retried->body).backoff_s;
        verdict.missed_ms.push_back(retried->at_ms - killed->at_ms);
        verdict.moved_ms.push_back(event.at_ms - killed->at_ms - static_cast<std::int64_t>(backoff_ms));
      }
    }
    started = &event;
    retried = nullptr;
  }
}

Verdict Run::judge() {
  Verdict verdict;
  for (auto& [number, told] : streams_.finish()) {
    told_[number].stream = std::move(told.stream);
    told_[number].last_line = std::move(told.last_line);
  }
  auto on_the_bus = bus_.finish();
  PictureAlbum album;
  for (const PlannedJob& planned : plan_.jobs) {
    Told& told = told_[planned.number];
    const JobId id = told.ids.empty() ? JobId() : *told.ids.begin();
    told.bus = std::move(on_the_bus[id]);
    const Kept found = id.empty() ? Kept() : kept(id);
    for (const Event& event : found.events) {
      verdict.retries += std::holds_alternative<RetriedEvent>(event.body) ? 1 : 0;
    }
    note_moves(found, verdict);
    for (const std::string& complaint : album.check(planned, found)) {
      complaints_.push_back("job " + std::to_string(planned.number) + " (" + id.value + "): " + complaint);
    }
    for (const std::string& complaint : check_job(planned, told, found)) {
      complaints_.push_back("job " + std::to_string(planned.number) + " (" + id.value + "): " + complaint);
    }
  }
  if (auto stats = insist([&] { return ledger_.stats(); })) verdict.stats = *stats;
  verdict.pictures = album.pictures();
  for (const std::string& complaint : check_whole(plan_, verdict.stats)) complaints_.push_back(complaint);
  for (const std::string& complaint : complaints_) journal_.note("complaint", {{"text", complaint}});
  std::ranges::sort(verdict.missed_ms);
  std::ranges::sort(verdict.moved_ms);
  verdict.complaints = std::move(complaints_);
  verdict.blows = static_cast<int>(plan_.blows.size());
  return verdict;
}

}  // namespace waggle::chaos
