// The bus thread: an outbox that the event loop fills, a poll over both sockets and the outbox's wake-up, and
// a table of requests that wait for their reply.
#include "consumer/bridge/bus_link.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <unordered_map>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "consumer/bridge/asio.h"
#include "consumer/bus/topics.h"
#include "schemas/codec/msgpack.h"

namespace waggle::bridge {
using Clock = std::chrono::steady_clock;

struct BusLink::Impl {
  using Answer = std::function<void(Result<ReplyBody>)>;
  struct Ask {
    RequestBody body;
    Clock::time_point deadline;
    Answer answer;
  };
  struct Follow {
    JobId job;
    bool on = true;
  };
  using Order = std::variant<Ask, Follow>;
  struct Waiting {
    Clock::time_point deadline;
    Answer answer;
  };
  struct Unsent {
    std::string id, payload;
    Waiting then;
  };

  /// Connects here and not on the thread: a bad endpoint is the caller's error.
  Impl(asio::io_context& loop, const Settings& from)
      : io(loop),
        settings(from),
        context(settings.security),
        client(context, settings.requests),
        subscriber(context, settings.events),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    std::random_device random;
    prefix = "bridge-" + std::to_string(random()) + "-";
    thread = std::thread([this] { run(); });
  }
  ~Impl() {
    stop();
    ::close(wake);
  }

  void order(Order what) {
    {
      const std::lock_guard lock(mutex);
      if (!stopping) {
        outbox.push_back(std::move(what));
        ring();
        return;
      }
    }
    if (Ask* ask = std::get_if<Ask>(&what))
      ask->answer(Error{ErrorCode::unavailable, "the bridge is stopping"});
  }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written =
        ::write(wake, &one, sizeof one);  // full means it is already ringing
  }
  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    ring();
    if (thread.joinable()) thread.join();
  }

  // --- below: the bus thread ---
  void run();
  void take_orders();
  void encode(Ask& ask);
  void send_all();
  void take_replies();
  void take_news();
  void time_out(Clock::time_point now);

  asio::io_context& io;
  const Settings& settings;
  bus::Context context;
  bus::RequestClient client;  ///< as the subscriber, of the bus thread once that runs
  bus::Subscriber subscriber;
  std::function<void(const JobId&)> listener;
  int wake;
  std::mutex mutex;
  std::deque<Order> outbox;
  bool stopping = false;
  std::string prefix;
  std::uint64_t next = 0;
  std::atomic<std::uint64_t> malformed{0};
  std::deque<Unsent> unsent;  ///< no queen has taken them yet
  std::unordered_map<std::string, Waiting> waiting;
  std::thread thread;
};

void BusLink::Impl::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
    }
    take_orders();
    send_all();
    // ZeroMQ's descriptors signal changes, not levels: both sockets are emptied before each poll.
    take_replies();
    take_news();
    malformed = client.malformed() + subscriber.malformed();
    time_out(Clock::now());
    pollfd watched[] = {
        {wake, POLLIN, 0}, {client.descriptor(), POLLIN, 0}, {subscriber.descriptor(), POLLIN, 0}};
    ::poll(watched, 3, 100);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(wake, &count, sizeof count);
  }
  const Error gone{ErrorCode::unavailable, "the bridge is stopping"};
  for (auto& [id, entry] : waiting) entry.answer(gone);
  waiting.clear();
  for (Unsent& request : unsent) request.then.answer(gone);
  unsent.clear();
  const std::lock_guard lock(mutex);
  for (Order& what : outbox) {
    if (Ask* ask = std::get_if<Ask>(&what)) ask->answer(gone);
  }
  outbox.clear();
}

void BusLink::Impl::take_orders() {
  std::deque<Order> orders;
  {
    const std::lock_guard lock(mutex);
    orders.swap(outbox);
  }
  for (Order& what : orders) {
    if (Ask* ask = std::get_if<Ask>(&what)) {
      encode(*ask);
    } else {
      const Follow& follow = std::get<Follow>(what);
      const std::string topic = bus::events_topic(follow.job);
      follow.on ? subscriber.subscribe(topic) : subscriber.unsubscribe(topic);
    }
  }
}

void BusLink::Impl::encode(Ask& ask) {
  const RequestId id{prefix + std::to_string(++next)};
  std::string payload = codec::to_msgpack(Request{id, std::move(ask.body)});
  if (payload.size() > limits::kMaxMessageBytes) {
    ask.answer(Error{ErrorCode::payload_too_large, "the request is larger than a message may be"});
    return;
  }
  unsent.push_back({id.value, std::move(payload), {ask.deadline, std::move(ask.answer)}});
}

/// Never waits: while no queen is there, requests grow old together and the news of the streams goes on.
void BusLink::Impl::send_all() {
  while (!unsent.empty() && client.send(unsent.front().payload, std::chrono::milliseconds(0))) {
    waiting.emplace(std::move(unsent.front().id), std::move(unsent.front().then));
    unsent.pop_front();
  }
}

void BusLink::Impl::take_replies() {
  while (auto payload = client.receive(std::chrono::milliseconds(0))) {
    Result<Reply> reply = codec::from_msgpack<Reply>(*payload);
    if (!reply) continue;
    const auto found = waiting.find(reply->id.value);
    if (found == waiting.end()) continue;  // answered after its time
    const Answer answer = std::move(found->second.answer);
    waiting.erase(found);
    if (Rejected* rejected = std::get_if<Rejected>(&reply->body)) {
      answer(std::move(rejected->error));
    } else {
      answer(std::move(reply->body));
    }
  }
}

void BusLink::Impl::take_news() {
  while (const auto message = subscriber.receive(std::chrono::milliseconds(0))) {
    const auto topic = bus::parse_topic(message->topic);
    if (!topic || topic->kind != bus::TopicKind::events) continue;
    asio::post(io, [this, job = JobId(topic->name)] {
      if (listener) listener(job);
    });
  }
}

void BusLink::Impl::time_out(Clock::time_point now) {
  const auto is_over = [now](const Waiting& request) {
    if (request.deadline > now) return false;
    request.answer(Error{ErrorCode::unavailable, "no queen answers"});
    return true;
  };
  std::erase_if(waiting, [&](const auto& entry) { return is_over(entry.second); });
  std::erase_if(unsent, [&](const Unsent& request) { return is_over(request.then); });
}

BusLink::BusLink(asio::io_context& io, const Settings& settings)
    : impl_(std::make_unique<Impl>(io, settings)) {}
BusLink::~BusLink() = default;

asio::awaitable<Result<ReplyBody>> BusLink::ask(RequestBody body, std::chrono::milliseconds timeout) {
  const auto start = [this, timeout](auto handler, RequestBody request) {
    auto executor = asio::get_associated_executor(handler);
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto busy = asio::make_work_guard(executor);
    impl_->order(Impl::Ask{std::move(request), Clock::now() + timeout,
                           [shared, executor, busy](Result<ReplyBody> reply) mutable {
                             asio::post(executor,
                                        [shared = std::move(shared), value = std::move(reply)]() mutable {
                                          (*shared)(std::move(value));
                                        });
                           }});
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<ReplyBody>)>(
      start, asio::use_awaitable, std::move(body));
}

asio::awaitable<Result<ReplyBody>> BusLink::ask(RequestBody body) {
  co_return co_await ask(std::move(body), impl_->settings.queen_timeout);
}

std::uint64_t BusLink::malformed() const { return impl_->malformed; }
void BusLink::follow(const JobId& job) { impl_->order(Impl::Follow{job, true}); }
void BusLink::unfollow(const JobId& job) { impl_->order(Impl::Follow{job, false}); }
void BusLink::on_news(std::function<void(const JobId&)> listener) { impl_->listener = std::move(listener); }
void BusLink::stop() { impl_->stop(); }

}  // namespace waggle::bridge
