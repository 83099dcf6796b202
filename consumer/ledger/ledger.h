// The durable record: jobs, leases, events and images in Redis. Every transition is one atomic Lua script
// (lua/*.lua), so a crash between two calls leaves no half state. Hiredis is seen in consumer/ledger alone.
//
// A Ledger is one connection; it belongs to one thread at a time and reconnects by itself. Calls answer with
// a Result: `unavailable` when Redis does not answer in time. Whether a call that answered `unavailable` took
// effect is unknown; every script may be repeated without harm. All times are Redis's own clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/error.h"
#include "schemas/event.h"
#include "schemas/ids.h"
#include "schemas/job.h"
#include "schemas/message.h"
#include "schemas/operation.h"
#include "schemas/result.h"
#include "schemas/worker_info.h"

namespace waggle::ledger {

struct Address {
  std::string host;
  int port = 0;
  bool operator==(const Address&) const = default;
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_socket;  ///< used instead of host and port when set
  /// Not empty: the master is asked of them for each connection, instead of host and port.
  std::vector<Address> sentinels;
  std::string master_name;
  std::string username, password;
  int database = 0;
  std::string prefix = "waggle:";  ///< of every key
  /// A worker's "<id>#<instance>": Redis shows who is connected, so the end of a process is seen at once.
  std::string connection_name;
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds command_timeout{5000};
};
/// "redis://[[user]:password@]host[:port][/db]", "unix:///path[?db=n]", or, for the master that Sentinels
/// know by its name, "redis-sentinel://[[user]:password@]host[:port][,host[:port]...][/db]?master=name".
/// Errors: invalid_request.
Result<Options> parse_redis_url(std::string_view url);

/// The queue's rules, given with each call that needs them, so that no state hides in a process.
struct Policy {
  std::int64_t max_queued = 100'000;  ///< back-pressure: jobs
  std::int64_t max_queued_bytes = 1LL
                                  << 30;  ///< requests and pictures of jobs that have not ended; 0: no limit
  std::int64_t max_image_bytes = 0;       ///< images of ended jobs; 0: no limit
  std::chrono::milliseconds lease{15'000};
  std::chrono::seconds job_ttl{24 * 3600};  ///< record and events after the end
  std::chrono::seconds image_ttl{24 * 3600};
  std::int64_t max_events_per_job = 2000;         ///< cap of the event log; its end is never trimmed away
  std::chrono::milliseconds backoff_first{1000};  ///< doubled each attempt
  std::chrono::milliseconds backoff_max{60'000};
  std::chrono::milliseconds retry_after{2000};  ///< told when the queue is full
};

/// A claim: this attempt of this job, by this worker. The attempt number is the fencing token.
struct Lease {
  JobId job;
  int attempt = 0;
  WorkerId worker;
  bool operator==(const Lease&) const = default;
};

struct ClaimQuery {
  WorkerId worker;
  std::vector<std::string> models;  ///< names and aliases it can serve
  int room = 1;                     ///< jobs it can take now
  std::string batch_key;            ///< when not empty: only jobs of this key (they join a running batch)
  bool same_batch = true;           ///< the jobs of one claim share one batch key
  /// "<instance>:<number>", new for each claim. One that answered `unavailable` is made again with the same
  /// token and `repeated`: jobs that it took the first time are given again instead of waiting for their
  /// lease.
  std::string token{};
  bool repeated = false;
  /// How long a claim that finds nothing stands, 0 for not at all: meanwhile the ledger may give it a job
  /// that is submitted, and tells it over Grants. It is made again, `repeated` and of the same models, to
  /// look for other work, to stand for longer, or with room for 0 jobs and no wait to stand no longer; that
  /// answers what it was given meanwhile.
  std::chrono::milliseconds wait{0};
};

struct ClaimedJob {
  Lease lease;
  JobRequest request;
  std::string batch_key;
  std::vector<ImageInfo> images_done;  ///< committed by earlier attempts; need not be rendered again
  bool run_alone = false;              ///< two workers were lost on it
  std::optional<std::int64_t> deadline_ms;
  Event started;  ///< as the claim logged it, for whoever publishes it
};

/// What a renewal found: leases that no longer stand, and jobs that somebody cancelled.
struct RenewOutcome {
  std::vector<JobId> lost;
  std::vector<JobId> cancel_requested;
};

/// An image on its way into the ledger.
struct NewImage {
  ImageInfo info;
  std::string_view bytes;
};

/// An event of a running attempt: what append_many() is given, and numbers.
struct Appending {
  Lease lease;
  Event event;
};

/// An attempt that ends: what finish_many() is given.
struct Ending {
  Lease lease;
  /// Completed, failed or cancelled. Becomes what was logged (completed, failed, cancelled, retried, dead),
  /// numbered; untouched when refused.
  Event event;
  std::vector<NewImage> images = {};  ///< committed in the same step
};

/// What finish() came to.
enum class FinishOutcome {
  ended,      ///< the job is in the end state that was asked for
  requeued,   ///< a retryable failure with attempts left
  dead,       ///< a retryable failure, attempts used up
  cancelled,  ///< somebody had cancelled it: that is its end
  refused,    ///< the attempt no longer holds the lease; drop the result
};

/// One transition that the reaper made, with the event that was logged for it.
struct Reaped {
  JobId job;
  std::string model;
  Event event;  ///< retried, dead or expired
};

/// What a round of reaping did.
struct Reaping {
  std::vector<Reaped> reaped;
  bool more = false;  ///< stopped at its limit: there is more to do now
};

/// The workers with a connection to Redis now, as "<id>#<instance>".
struct Connected {
  std::uint64_t session = 0;  ///< another number: our own connection is new, and so may be everybody's
  std::vector<std::string> workers;
};

constexpr int kMaxListed = 1000;  ///< jobs on one page of a list

/// A page of a job's event log.
struct EventPage {
  std::vector<Event> events;
  bool truncated = false;  ///< entries after the asked id had been trimmed
};

class Ledger {
 public:
  explicit Ledger(Options options);  ///< connects lazily
  ~Ledger();
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;

  /// From any thread: the call in flight, and every later one, answers `unavailable` at once. For a process
  /// that is to end while Redis hangs.
  void interrupt() noexcept;

  Status ping();
  Result<std::int64_t> now_ms();

  // --- clients, through the queen ---
  /// Writes the job, its first event and its place in the queue. `request_digest` tells two bodies under one
  /// key apart. Errors: queue_full, idempotency_conflict, unavailable. `queued` is the first event as logged;
  /// absent when the job is an earlier submission's.
  struct SubmitOutcome {
    Accepted accepted;
    std::optional<Event> queued;
    bool granted = false;  ///< a worker has it already: nobody needs to be told that a job waits
  };
  Result<SubmitOutcome> submit(const JobId& id, const JobRequest& request, std::string_view batch_key,
                               std::string_view request_digest, const Policy& policy);
  /// The same for many jobs in one round trip, in order; each is accepted or refused by itself.
  struct Submission {
    JobId id;
    JobRequest request;
    std::string batch_key, digest;
  };
  std::vector<Result<SubmitOutcome>> submit_many(const std::vector<Submission>& jobs, const Policy& policy);
  /// Queued: ended at once. Running: marked, the worker finds it at its next renewal or by the control topic.
  /// Errors: unknown_job, job_expired, job_already_ended. `event` is set when it ended at once.
  struct CancelOutcome {
    CancelAccepted accepted;
    std::optional<Event> event;
    std::optional<WorkerId> worker;  ///< running: whom to tell
  };
  Result<CancelOutcome> cancel(const JobId& id, const Policy& policy);
  /// Dead, failed or cancelled -> queued, attempts counted anew. Errors: unknown_job, invalid_request.
  Result<Event> requeue(const JobId& id, const Policy& policy);
  Result<JobStatus> status(const JobId& id);
  Result<JobRequest> request(const JobId& id);
  /// Errors: invalid_request for a limit that is not between 1 and kMaxListed.
  Result<ListReply> list(const ListRequest& query);
  Result<StatsReply> stats();
  /// What nobody may claim until it is resumed, by the names that jobs use.
  Status pause(const std::vector<std::string>& models);
  Status resume(const std::vector<std::string>& models);
  Result<std::vector<std::string>> paused();

  // --- pictures ---
  /// Kept for some minutes, and from a submission on for as long as a job needs it. Errors: queue_full.
  Result<BlobId> put_blob(std::string_view bytes, const Policy& policy);
  Result<std::string> blob(const BlobId& id);
  Result<std::string> image(const JobId& id, int index);  ///< errors: unknown_job, not_found, job_expired

  // --- workers ---
  /// Logs the start of each attempt with the claim.
  Result<std::vector<ClaimedJob>> claim(const ClaimQuery& query, const Policy& policy);
  Result<RenewOutcome> renew(const std::vector<Lease>& leases, const Policy& policy);
  /// Numbers the event, appends it to the log and updates step counts. Errors: lease_lost.
  Result<EventId> append(const Lease& lease, Event& event, const Policy& policy);
  /// The same for events of attempts of one worker, in order, in one round trip; each counts by itself.
  std::vector<Result<EventId>> append_many(std::vector<Appending>& events, const Policy& policy);
  /// Commits one image by itself. Errors: lease_lost.
  Status commit_image(const Lease& lease, const ImageInfo& info, std::string_view bytes,
                      const Policy& policy);
  /// Ends attempts of one worker in one round trip, each by itself. Failed with a retryable error may
  /// requeue. Errors: queue_full when Redis has no memory for the images; the attempt has not ended then.
  std::vector<Result<FinishOutcome>> finish_many(std::vector<Ending>& endings, const Policy& policy);
  /// The same for one.
  Result<FinishOutcome> finish(const Lease& lease, Event& event, const Policy& policy,
                               const std::vector<NewImage>& images = {});
  /// Gives the job back without using up an attempt (drain).
  Result<FinishOutcome> release(const Lease& lease, Event& event, const Policy& policy);

  // --- registry ---
  Status put_worker(const WorkerInfo& info, std::chrono::milliseconds ttl);
  Status remove_worker(const WorkerId& id);
  Result<std::vector<WorkerInfo>> workers();

  // --- queens ---
  /// The reaper's lock: true when this queen holds it for `ttl`.
  Result<bool> hold_reaper_lock(std::string_view queen, std::chrono::milliseconds ttl);
  /// Returns expired leases to the queue or moves them to dead, expires jobs past their deadline, moves
  /// backed-off jobs whose time has come into the queue, retires records and images. At most `limit`
  /// transitions. Leases are given another term when nobody has reaped for a third of one: Redis was away.
  Result<Reaping> reap(const Policy& policy, int limit = 100);
  Result<Connected> connected();
  /// The workers that hold leases, as "<id>#<instance>", each once. Without those whose connections Redis
  /// does not name.
  Result<std::vector<std::string>> holders();
  /// Ends the leases of these workers ("<id>#<instance>"), whose processes are known to be gone. Answers how
  /// many.
  Result<std::int64_t> vanish(const std::vector<std::string>& workers);

  // --- readers ---
  /// Events after `after` (empty: from the first), at most `limit`, without waiting.
  Result<EventPage> events(const JobId& id, const EventId& after, int limit = 1000);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace waggle::ledger
