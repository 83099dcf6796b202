// Measuring. A call that fails ends the run: figures of a queue that failed mean nothing.
#include "tests/bench/measurements.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>

#include <sys/resource.h>

#include "consumer/bus/topics.h"
#include "consumer/ledger/ledger.h"
#include "consumer/queen/job_id.h"
#include "schemas/codec/msgpack.h"
#include "tests/bench/pool.h"

namespace waggle::bench {
namespace {

using namespace std::chrono_literals;
using testing::RedisServer;

constexpr std::size_t kImageBytes = 100'000;
constexpr int kRoom = 8;
constexpr std::size_t kBulk = 100;  // jobs in one submission

template <class T>
T need(Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return std::move(result).value();
}

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

/// What Redis says of itself in a section of INFO, line by line.
template <class Look>
void each_line(const RedisServer& redis, const std::string& section, Look look) {
  const std::string command = "redis-cli -p " + std::to_string(redis.port()) + " info " + section;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  if (!pipe) throw std::runtime_error("redis-cli does not start");
  std::array<char, 512> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) look(line.data());
}

/// The commands that clients have sent: scripts, and the SET of each image with the transaction around it.
/// Those inside scripts are the server's own affair; no script that this measures has a SET.
long commands_sent(const RedisServer& redis) {
  long sum = 0;
  each_line(redis, "commandstats", [&](const char* line) {
    long calls = 0;
    if (std::sscanf(line, "cmdstat_fcall:calls=%ld", &calls) == 1 ||
        std::sscanf(line, "cmdstat_multi:calls=%ld", &calls) == 1 ||
        std::sscanf(line, "cmdstat_exec:calls=%ld", &calls) == 1 ||
        std::sscanf(line, "cmdstat_set:calls=%ld", &calls) == 1) {
      sum += calls;
    }
  });
  return sum;
}

/// Processor time so far, all threads, in microseconds.
double redis_cpu_us(const RedisServer& redis) {
  double sum = 0;
  each_line(redis, "cpu", [&](const char* line) {
    double spent = 0;
    if (std::sscanf(line, "used_cpu_sys:%lf", &spent) == 1 ||
        std::sscanf(line, "used_cpu_user:%lf", &spent) == 1) {
      sum += spent;
    }
  });
  return 1e6 * sum;
}
double own_cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto us = [](const timeval& time) {
    return 1e6 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

void submit_all(const ledger::Options& redis, int jobs) {
  ledger::Ledger ledger(redis);
  for (int i = 0; i < jobs;) {
    std::vector<ledger::Ledger::Submission> bulk;
    for (; i < jobs && bulk.size() < kBulk; ++i) {
      bulk.push_back({queen::new_job_id(), numbered_job(i), "b", "d"});
    }
    for (auto& accepted : ledger.submit_many(bulk, {})) need(std::move(accepted));
  }
}

/// Reports the jobs of one claim as a worker does whose batch steps and ends together.
void end(ledger::Ledger& ledger, const std::vector<ledger::ClaimedJob>& jobs, bool full,
         const std::string& image) {
  for (int step = 1; full && step <= 3; ++step) {
    std::vector<ledger::Appending> events;
    for (const ledger::ClaimedJob& job : jobs) {
      events.push_back({job.lease, {}});
      events.back().event.body = ProgressEvent{step, 3, 100.0 * step / 3};
    }
    for (auto& appended : ledger.append_many(events, {})) need(std::move(appended));
  }
  std::vector<ledger::Ending> endings;
  for (const ledger::ClaimedJob& job : jobs) {
    CompletedEvent completed;
    completed.seed = job.request.seed.value_or(0);
    ledger::Ending& ending = endings.emplace_back();
    ending.lease = job.lease;
    if (full) {
      completed.images.push_back(
          {0, completed.seed, OutputFormat::png, 1, 1, static_cast<std::int64_t>(image.size())});
      ending.images.push_back({completed.images.front(), image});
    }
    ending.event.body = completed;
  }
  for (auto& outcome : ledger.finish_many(endings, {})) {
    if (need(std::move(outcome)) != ledger::FinishOutcome::ended)
      throw std::runtime_error("a job has not ended");
  }
}

Latency summary(std::vector<double> times_ms) {
  std::ranges::sort(times_ms);
  const auto at = [&](double share) {
    return times_ms.at(static_cast<std::size_t>(share * static_cast<double>(times_ms.size() - 1)));
  };
  return {at(0.5), at(0.99), times_ms.back()};
}

template <class Condition>
void wait_for(const char* what, Condition condition) {
  const auto deadline = Clock::now() + 60s;
  while (!condition()) {
    if (Clock::now() > deadline) throw std::runtime_error(std::string(what) + " took more than a minute");
    std::this_thread::sleep_for(200us);
  }
}

}  // namespace

Throughput measure_throughput(const std::string& appendfsync, int workers, int jobs, bool full) {
  const RedisServer redis(appendfsync);
  submit_all(redis.options(), 1);  // every script is known to Redis before the clock starts
  std::atomic<int> left{jobs + 1};
  std::atomic<bool> failed{false};
  const std::string image(kImageBytes, 'x');
  const long before = commands_sent(redis);
  const double redis_before = redis_cpu_us(redis), own_before = own_cpu_us();
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  const auto guarded = [&](auto work) {
    threads.emplace_back([&failed, work] {
      try {
        work();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        failed = true;
      }
    });
  };
  guarded([&] { submit_all(redis.options(), jobs); });
  for (int w = 0; w < workers; ++w) {
    guarded([&, w] {
      ledger::Ledger ledger(redis.options());
      const ledger::ClaimQuery query{WorkerId(std::to_string(w)), {"null"}, kRoom, "", true};
      while (left > 0 && !failed) {
        const auto claimed = need(ledger.claim(query, {}));
        end(ledger, claimed, full, image);
        left -= static_cast<int>(claimed.size());
        // An idle worker waits to be told; here it looks again soon.
        if (claimed.empty()) std::this_thread::sleep_for(2ms);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed) throw std::runtime_error("the throughput run failed");
  const double took = seconds(Clock::now() - start);
  return {workers, jobs / took, static_cast<double>(commands_sent(redis) - before) / jobs,
          (redis_cpu_us(redis) - redis_before) / jobs, (own_cpu_us() - own_before) / jobs};
}

Latencies measure_latencies(const std::string& appendfsync, int jobs) {
  const RedisServer redis(appendfsync);
  Stopwatch stopwatch(jobs + 1);
  const RunningQueen queen(redis.options());
  const RunningWorker worker(redis.options(), queen.endpoints(), stopwatch, {});
  bus::Context context;
  bus::Subscriber subscriber(context, {queen.endpoints().publish});
  subscriber.subscribe("events/");
  bus::RequestClient client(context, {queen.endpoints().requests});

  std::vector<Clock::time_point> sent(stopwatch.began.size()), told(sent.size());
  const auto one = [&](int number) {
    const auto index = static_cast<std::size_t>(number);
    sent[index] = Clock::now();
    const RequestId id(std::to_string(number));
    need(client.send(codec::to_msgpack(Request{id, SubmitRequest{numbered_job(number)}})));
    const auto answer = client.receive(10s);
    if (!answer) throw std::runtime_error("the queen does not answer");
    const auto deadline = Clock::now() + 10s;
    while (told[index] == Clock::time_point{} && Clock::now() < deadline) {
      const auto message = subscriber.receive(100ms);
      const auto event = message ? codec::from_msgpack<Event>(message->payload) : Error{};
      if (event && is_terminal(event->body)) told[index] = Clock::now();
    }
    if (told[index] == Clock::time_point{}) throw std::runtime_error("nobody told of the end");
  };
  // Connections, caches and scripts are warm from the second job on; until the sockets have found each other
  // the worker hears of nothing, so the first one is not measured.
  std::this_thread::sleep_for(1500ms);
  one(0);
  auto next = Clock::now();
  for (int i = 1; i <= jobs; ++i) {
    std::this_thread::sleep_until(next);
    next += 20ms;
    one(i);
  }
  std::vector<double> to_work, to_told;
  for (std::size_t i = 1; i < sent.size(); ++i) {
    to_work.push_back(1000 * seconds(stopwatch.began[i] - sent[i]));
    to_told.push_back(1000 * seconds(told[i] - stopwatch.ended[i]));
  }
  return {summary(std::move(to_work)), summary(std::move(to_told))};
}

double measure_busy_share(const std::string& appendfsync, int jobs) {
  const RedisServer redis(appendfsync);
  submit_all(redis.options(), jobs);
  Stopwatch stopwatch(jobs);
  const RunningQueen queen(redis.options());
  const RunningWorker worker(redis.options(), queen.endpoints(), stopwatch, {50ms, 3, 0});
  wait_for("the work", [&] { return stopwatch.done == jobs; });
  Clock::duration worked{};
  for (std::size_t i = 0; i < stopwatch.began.size(); ++i) worked += stopwatch.ended[i] - stopwatch.began[i];
  return seconds(worked) / seconds(std::ranges::max(stopwatch.ended) - std::ranges::min(stopwatch.began));
}

Recovery measure_recovery(const std::string& appendfsync, int jobs) {
  RedisServer redis(appendfsync);
  submit_all(redis.options(), jobs);
  redis.kill9();
  Stopwatch stopwatch(jobs);
  const auto start = Clock::now();
  redis.restart();
  Recovery recovery{seconds(Clock::now() - start), 0};
  const RunningQueen queen(redis.options());
  const RunningWorker worker(redis.options(), queen.endpoints(), stopwatch, {});
  wait_for("the first job", [&] { return stopwatch.begun > 0; });
  recovery.work_s = seconds(std::ranges::max(stopwatch.began) - start);
  return recovery;
}

}  // namespace waggle::bench
