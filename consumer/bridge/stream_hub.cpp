// Channels and their log readers.
#include "consumer/bridge/stream_hub.h"

#include <algorithm>
#include <utility>

#include "consumer/bridge/asio.h"

namespace waggle::bridge {
namespace {

constexpr std::size_t kRingFrames = 256;
constexpr std::size_t kRingBytes = 4u << 20;
constexpr std::chrono::milliseconds kAfterError{500};

}  // namespace

asio::awaitable<bool> Wake::wait(std::chrono::milliseconds timeout) {
  if (!set_) {
    boost::system::error_code ignored;
    timer_.expires_after(timeout);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::exchange(set_, false);
}

Channel::Channel(StreamHub& hub, JobId job, EventId from)
    : hub_(hub), job_(std::move(job)), floor_(from), head_(std::move(from)), wake_(hub.io_) {}

std::optional<std::vector<FramePtr>> Channel::after(const EventId& position) const {
  if (compare(position, floor_) < 0) return std::nullopt;
  std::vector<FramePtr> frames;
  for (const FramePtr& frame : ring_) {
    // The end is for everybody, also for a reader whose position is the end itself.
    if (compare(frame->id, position) > 0 || frame->ends()) frames.push_back(frame);
  }
  return frames;
}

asio::awaitable<Result<LogRead>> Channel::read(EventId position) {
  const auto work = [job = job_, position](ledger::Ledger& ledger) {
    return read_frames(ledger, job, position);
  };
  co_return co_await hub_.pool_.call(work);
}

void Channel::news() { wake_.set(); }

asio::awaitable<void> Channel::pump() {
  const auto self = shared_from_this();
  while (!readers_.empty() && !ended_ && !hub_.stopping_) {
    const auto got = co_await read(head_);
    std::chrono::milliseconds rest = running_ ? hub_.settings_.poll_running : hub_.settings_.poll_queued;
    if (got) {
      take(*got);
      if (got->more) continue;
      rest = running_ ? hub_.settings_.poll_running : hub_.settings_.poll_queued;
    } else if (got.error().code == ErrorCode::unknown_job || got.error().code == ErrorCode::job_expired) {
      end(got.error());
    } else {
      rest = kAfterError;
    }
    if (!ended_ && !readers_.empty() && !hub_.stopping_) co_await wake_.wait(rest);
  }
  hub_.retire(*this);
}

void Channel::take(const LogRead& read) {
  if (read.frames.empty()) return;
  for (const FramePtr& frame : read.frames) {
    ring_.push_back(frame);
    ring_bytes_ += frame->data.size();
    head_ = frame->id;
    running_ = frame->running;
    ended_ = ended_ || frame->ends();
  }
  while (ring_.size() > 1 && (ring_.size() > kRingFrames || ring_bytes_ > kRingBytes)) {
    floor_ = ring_.front()->id;
    ring_bytes_ -= ring_.front()->data.size();
    ring_.pop_front();
  }
  tell_readers();
}

void Channel::end(const Error& error) {
  Frame frame;
  frame.id = head_;
  frame.last_line = "[ERROR] " + error.message;
  frame.end_state = "expired";
  take({{std::make_shared<const Frame>(std::move(frame))}});
}

void Channel::tell_readers() {
  for (Wake* reader : readers_) reader->set();
}

Reader::Reader(std::shared_ptr<Channel> channel, Wake& wake) : channel_(std::move(channel)), wake_(&wake) {
  channel_->readers_.insert(wake_);
}

Reader::~Reader() {
  if (channel_) channel_->hub_.leave(channel_, wake_);
}

StreamHub::StreamHub(asio::io_context& io, LedgerPool& pool, BusLink& bus, const Settings& settings)
    : io_(io), pool_(pool), bus_(bus), settings_(settings) {
  bus_.on_news([this](const JobId& job) {
    if (const auto found = channels_.find(job); found != channels_.end()) found->second->news();
  });
}

Reader StreamHub::join(const JobId& job, const EventId& after, Wake& wake) {
  auto& channel = channels_[job];
  const bool is_new = channel == nullptr;
  if (is_new) channel = std::make_shared<Channel>(*this, job, after);
  Reader reader(channel, wake);
  if (is_new) {
    // Subscribed before the log is first read, so that no event falls between the two.
    bus_.follow(job);
    asio::co_spawn(
        io_, [kept = channel] { return kept->pump(); }, asio::detached);
  }
  return reader;
}

void StreamHub::leave(const std::shared_ptr<Channel>& channel, Wake* wake) {
  channel->readers_.erase(wake);
  if (channel->readers_.empty()) {
    retire(*channel);
    channel->wake_.set();
  }
}

void StreamHub::retire(const Channel& channel) {
  const auto found = channels_.find(channel.job_);
  if (found == channels_.end() || found->second.get() != &channel) return;
  channels_.erase(found);
  bus_.unfollow(channel.job_);
}

void StreamHub::stop() {
  stopping_ = true;
  const auto channels = channels_;
  for (const auto& [job, channel] : channels) {
    channel->wake_.set();
    channel->tell_readers();
  }
}

}  // namespace waggle::bridge
