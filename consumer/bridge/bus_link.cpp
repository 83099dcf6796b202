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

  Impl(asio::io_context& loop, const Settings& from)
      : io(loop), settings(from), wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
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
  void take_orders(bus::RequestClient& client, bus::Subscriber& subscriber);
  void send(bus::RequestClient& client, Ask& ask);
  void take_replies(bus::RequestClient& client);
  void take_news(bus::Subscriber& subscriber);
  void time_out(Clock::time_point now);

  asio::io_context& io;
  const Settings& settings;
  std::function<void(const JobId&)> listener;
  int wake;
  std::mutex mutex;
  std::deque<Order> outbox;
  bool stopping = false;
  std::string prefix;
  std::uint64_t next = 0;
  std::unordered_map<std::string, Waiting> waiting;
  std::thread thread;
};

void BusLink::Impl::run() {
  bus::Context context(settings.security);
  bus::RequestClient client(context, settings.requests);
  bus::Subscriber subscriber(context, settings.events);
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
    }
    take_orders(client, subscriber);
    // ZeroMQ's descriptors signal changes, not levels: both sockets are emptied before each poll.
    take_replies(client);
    take_news(subscriber);
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
  const std::lock_guard lock(mutex);
  for (Order& what : outbox) {
    if (Ask* ask = std::get_if<Ask>(&what)) ask->answer(gone);
  }
  outbox.clear();
}

void BusLink::Impl::take_orders(bus::RequestClient& client, bus::Subscriber& subscriber) {
  std::deque<Order> orders;
  {
    const std::lock_guard lock(mutex);
    orders.swap(outbox);
  }
  for (Order& what : orders) {
    if (Ask* ask = std::get_if<Ask>(&what)) {
      send(client, *ask);
    } else {
      const Follow& follow = std::get<Follow>(what);
      const std::string topic = bus::events_topic(follow.job);
      follow.on ? subscriber.subscribe(topic) : subscriber.unsubscribe(topic);
    }
  }
}

void BusLink::Impl::send(bus::RequestClient& client, Ask& ask) {
  const RequestId id{prefix + std::to_string(++next)};
  const std::string payload = codec::to_msgpack(Request{id, std::move(ask.body)});
  if (payload.size() > limits::kMaxMessageBytes) {
    ask.answer(Error{ErrorCode::payload_too_large, "the request is larger than a message may be"});
    return;
  }
  if (Status sent = client.send(payload); !sent) {
    ask.answer(std::move(sent).error());
    return;
  }
  waiting.emplace(id.value, Waiting{ask.deadline, std::move(ask.answer)});
}

void BusLink::Impl::take_replies(bus::RequestClient& client) {
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

void BusLink::Impl::take_news(bus::Subscriber& subscriber) {
  while (const auto message = subscriber.receive(std::chrono::milliseconds(0))) {
    const auto topic = bus::parse_topic(message->topic);
    if (!topic || topic->kind != bus::TopicKind::events) continue;
    asio::post(io, [this, job = JobId(topic->name)] {
      if (listener) listener(job);
    });
  }
}

void BusLink::Impl::time_out(Clock::time_point now) {
  std::erase_if(waiting, [now](auto& entry) {
    if (entry.second.deadline > now) return false;
    entry.second.answer(Error{ErrorCode::unavailable, "no queen answers"});
    return true;
  });
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

void BusLink::follow(const JobId& job) { impl_->order(Impl::Follow{job, true}); }
void BusLink::unfollow(const JobId& job) { impl_->order(Impl::Follow{job, false}); }
void BusLink::on_news(std::function<void(const JobId&)> listener) { impl_->listener = std::move(listener); }
void BusLink::stop() { impl_->stop(); }

}  // namespace waggle::bridge
