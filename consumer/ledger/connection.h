// One connection to Redis: connects when first needed, again after an error, and answers with plain values.
// Private to consumer/ledger. It knows nothing of jobs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "consumer/ledger/scripts.h"
#include "schemas/result.h"

struct redisContext;

namespace waggle::ledger {

/// What Redis answered. Total to read: what is not there reads as empty, so a strange answer cannot crash
/// anybody.
struct Value {
  std::string text;          ///< of a string or a status
  std::int64_t integer = 0;  ///< of an integer
  std::vector<Value> items;  ///< of an array
  bool is_nil = false;
  bool is_error = false;  ///< inside an array: `text` is what went wrong

  [[nodiscard]] const Value& at(std::size_t i) const;
  [[nodiscard]] std::int64_t number() const;  ///< of an integer, or of a text that holds one
};

/// What a worker's connection is called in Redis.
std::string connection_name(std::string_view prefix, std::string_view worker);

using Words = std::vector<std::string_view>;

/// What goes with a command beside its words.
struct Sending {
  /// A connection that turns out to be broken is made anew and the command sent again: right for what may be
  /// done twice.
  bool again = true;
  /// Commands that take effect together with it, before it, in one transaction: with appendfsync always many
  /// large values cost one wait for the disk. Their answers are dropped; when Redis refuses one of them it is
  /// as if none had been sent.
  std::vector<Words> ahead = {};
};

class Connection {
 public:
  explicit Connection(Options options);

  /// From any thread; see Ledger::interrupt.
  void interrupt() noexcept;
  /// How often it has been connected.
  [[nodiscard]] std::uint64_t session() const { return session_; }

  /// Connects unless it is connected.
  Status ready();
  /// Whether Redis shows the connection by the name that the options give.
  [[nodiscard]] bool named() const { return named_; }

  /// Errors: `unavailable` (no connection, no answer in time, Redis loading or read-only), `queue_full`
  /// (Redis has no memory left), `internal` (Redis says that the command is wrong).
  Result<Value> command(const Words& words, const Sending& sending = {});
  /// Runs a script by its name, and sends the library of all of them only when Redis does not know it.
  Result<Value> run(const Script& script, const Words& arguments, const Sending& sending = {});
  /// Whether the last command got no answer in time.
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  /// The script once for each list of arguments, all sent before the first answer is waited for: one round
  /// trip, and one write to the disk where Redis syncs each. Answers in order; each call succeeds or fails by
  /// itself.
  std::vector<Result<Value>> run_each(const Script& script,
                                      const std::vector<std::vector<std::string>>& calls);

  /// Connects, to hear what is published on the channel and nothing else from then on.
  Status subscribe(std::string_view channel);
  /// What has been published since, without waiting. The connection may have ended with it: see descriptor().
  std::vector<std::string> published();
  /// Readable when something may have come; -1 without a connection.
  [[nodiscard]] int descriptor() const;

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  struct Closer {
    void operator()(redisContext* context) const;
  };
  Status connect();
  /// The greetings of a new connection: password, database, name, and whether Sentinel was right.
  Status greet();
  Status take(redisContext* context);
  void drop() noexcept;
  Result<Value> exchange(const Words& words, const Sending& sending = {});
  /// The next answer, of a command that has been sent or is being sent.
  Result<Value> receive();
  /// The error that such an answer means; drops a connection that is of no more use.
  Error failed(std::string_view answer);
  void append(const Words& words);

  Options options_;
  std::unique_ptr<redisContext, Closer> context_;
  bool timed_out_ = false;  ///< the last exchange got no answer in time
  std::uint64_t session_ = 0;
  bool named_ = false;
  std::mutex descriptor_guard_;
  int descriptor_ = -1;  ///< of the context, for interrupt()
  std::atomic<bool> interrupted_{false};
};

}  // namespace waggle::ledger
