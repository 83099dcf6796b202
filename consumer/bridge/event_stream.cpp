// The reader's loop and the text of its events (HTML Standard, section 9.2: server-sent events).
#include "consumer/bridge/event_stream.h"

#include <chrono>

namespace waggle::bridge {
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kAfterError{500};
constexpr std::string_view kRetry = "retry: 2000\nid: ";

class EventStream {
 public:
  EventStream(const StreamPlan& plan, StreamHub& hub, const Settings& settings, StreamSink& sink, Wake& wake)
      : many_(plan.many), hub_(hub), settings_(settings), sink_(sink), wake_(wake) {
    for (const Followed& job : plan.jobs) {
      positions_.push_back({job.after, job.ended});
      ids_.push_back(job.job);
      readers_.push_back(job.ended ? std::nullopt
                                   : std::optional<Reader>(hub.join(job.job, job.after, wake)));
    }
    caught_up_.resize(plan.jobs.size(), false);
  }

  asio::awaitable<std::size_t> run() {
    auto last_write = Clock::now();
    while (alive()) {
      moved_ = failed_ = false;
      bool open = false;
      for (std::size_t i = 0; i < readers_.size() && alive(); ++i) {
        if (readers_[i]) co_await advance(i);
        open = open || readers_[i];
      }
      if (!open) {
        const std::string id = to_text(positions_);
        if (many_ && alive()) co_await write(kRetry, id, "\ndata: [DONE]\n\n");
        break;
      }
      if (moved_) {
        last_write = Clock::now();
        continue;
      }
      const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_write);
      if (silent >= settings_.heartbeat) {
        co_await write(": still here\n\n", "", "");
        last_write = Clock::now();
      } else if (alive()) {
        co_await wake_.wait(failed_ ? kAfterError : settings_.heartbeat - silent);
      }
    }
    co_return written_;
  }

 private:
  [[nodiscard]] bool alive() const { return ok_ && !sink_.closed() && !hub_.stopping(); }

  asio::awaitable<void> write(std::string_view before, std::string_view payload, std::string_view after) {
    ok_ = co_await sink_.write(before, payload, after);
  }

  /// Writes what is new of one job.
  asio::awaitable<void> advance(std::size_t i) {
    Channel& channel = readers_[i]->channel();
    auto frames = channel.after(positions_[i].seen);
    if (!frames) {
      auto page = co_await channel.read(positions_[i].seen);
      if (!page) {
        const ErrorCode code = page.error().code;
        // A log that is gone: the channel finds the same and ends. Anything else mends.
        if (code == ErrorCode::unknown_job || code == ErrorCode::job_expired)
          positions_[i].seen = channel.floor();
        failed_ = true;
        co_return;
      }
      if (page->frames.empty()) positions_[i].seen = channel.floor();
      frames = std::move(page->frames);
      // Fallen behind the ring after having been level with it: this reader is slow and goes without the
      // small talk.
      if (caught_up_[i]) std::erase_if(*frames, [this, i](const FramePtr& frame) { return skip(i, *frame); });
      moved_ = true;  // there may be more behind it: look again before waiting
    } else {
      caught_up_[i] = true;
    }
    for (const FramePtr& frame : *frames) {
      if (!alive()) co_return;
      co_await tell(i, *frame);
      if (frame->ends()) {
        readers_[i].reset();
        co_return;
      }
    }
  }

  bool skip(std::size_t i, const Frame& frame) {
    const auto lag = milliseconds_of(readers_[i]->channel().head()) - milliseconds_of(frame.id);
    if (!frame.droppable || lag <= settings_.max_lag.count()) return false;
    positions_[i].seen = frame.id;
    return true;
  }

  asio::awaitable<void> tell(std::size_t i, const Frame& frame) {
    const bool is_new = !frame.name.empty() && compare(frame.id, positions_[i].seen) > 0;
    if (is_new) positions_[i].seen = frame.id;
    std::string before, after;
    if (is_new) {
      before = id_line() + "event: " + frame.name + "\ndata: ";
      after = "\n\n";
    }
    if (frame.ends()) {
      positions_[i].ended = true;
      after += id_line();
      after += many_ ? "event: end\ndata: {\"type\":\"end\",\"job_id\":\"" + ids_[i].value +
                           "\",\"state\":\"" + frame.end_state + "\"}\n\n"
                     : "data: " + frame.last_line + "\n\n";
    }
    ++written_;
    moved_ = true;
    co_await write(before, is_new ? std::string_view(frame.data) : std::string_view(), after);
  }

  [[nodiscard]] std::string id_line() const {
    return std::string(kRetry) + (many_ ? to_text(positions_) : positions_.front().seen.value) + "\n";
  }

  const bool many_;
  StreamHub& hub_;
  const Settings& settings_;
  StreamSink& sink_;
  Wake& wake_;
  std::vector<JobId> ids_;
  std::vector<Position> positions_;
  std::vector<std::optional<Reader>> readers_;
  std::vector<bool> caught_up_;
  std::size_t written_ = 0;
  bool ok_ = true;
  bool moved_ = false, failed_ = false;  ///< in this turn of the loop
};

}  // namespace

asio::awaitable<std::size_t> stream_events(const StreamPlan& plan, StreamHub& hub, const Settings& settings,
                                           StreamSink& sink, Wake& wake) {
  EventStream stream(plan, hub, settings, sink, wake);
  co_return co_await stream.run();
}

std::string to_text(const std::vector<Position>& positions) {
  std::string text;
  for (const Position& position : positions) {
    if (!text.empty()) text += ',';
    text += position.seen.empty() ? "0" : position.seen.value;
    if (position.ended) text += '!';
  }
  return text;
}

Result<std::vector<Position>> parse_positions(std::string_view text, std::size_t count) {
  const Error bad = {ErrorCode::invalid_request, "the last event id is not one of this stream"};
  std::vector<Position> positions;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    Position& position = positions.emplace_back();
    if (part.ends_with('!')) {
      position.ended = true;
      part.remove_suffix(1);
    }
    if (part != "0") {
      if (!is_valid_event_id(part)) return bad;
      position.seen = EventId(std::string(part));
    }
    if (positions.size() > count) return bad;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (positions.size() != count) return bad;
  return positions;
}

}  // namespace waggle::bridge
