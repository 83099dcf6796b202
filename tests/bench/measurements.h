// The figures of the queue, each measured over a Redis of its own. Nothing is judged here: main.cpp prints.
#pragma once

#include <string>
#include <vector>

namespace waggle::bench {

/// Jobs through submit, claim and end while they are being submitted, by clients of the ledger.
struct Throughput {
  int workers = 0;
  double jobs_per_s = 0;
  double commands_per_job = 0;  ///< that clients sent, by Redis's own count
  double redis_us = 0;          ///< processor time of a job in Redis
  double clients_us = 0;        ///< and in the submitter and the workers
};
/// `full`: three progress events and an image of 100 KB for each job. Workers claim up to 8 jobs at once.
Throughput measure_throughput(const std::string& appendfsync, int workers, int jobs, bool full);

/// In milliseconds.
struct Latency {
  double p50 = 0, p99 = 0, max = 0;
};
struct Latencies {
  Latency submit_to_work;  ///< from before the submission is sent to the renderer's start
  Latency end_to_told;     ///< from the renderer's end to a subscriber that has the last event
};
/// 50 jobs/s through a queen and an idle worker.
Latencies measure_latencies(const std::string& appendfsync, int jobs);

/// The share of time that a worker renders while jobs wait, with 50 ms of work each.
double measure_busy_share(const std::string& appendfsync, int jobs);

struct Recovery {
  double redis_s = 0;  ///< until Redis answers again
  double work_s = 0;   ///< from the same moment until a worker works
};
/// So many jobs wait; Redis is killed; Redis, queen and worker are started.
Recovery measure_recovery(const std::string& appendfsync, int jobs);

}  // namespace waggle::bench
