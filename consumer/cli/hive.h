// A client's view of the queue: requests to a queen, the ledger for events and pictures, topics as hints.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "consumer/bus/bus.h"
#include "consumer/cli/command.h"
#include "consumer/ledger/ledger.h"
#include "consumer/program/key_files.h"
#include "schemas/message.h"
#include "schemas/result.h"

namespace waggle::cli {

struct HiveFlags {
  std::vector<std::string> connect;  ///< as program::parse_queens takes them
  std::string redis_url = "redis://127.0.0.1:6379";
  std::string redis_prefix = "waggle:";
  program::KeyFiles keys;
  double timeout_s = 5;
  bool json = false;
};

/// --connect, --redis-url, --redis-prefix, --timeout, --json and the CURVE key files.
void add_hive_flags(CLI::App& app, HiveFlags& flags);

class Hive {
 public:
  /// Connects nowhere yet. Errors: invalid_request (a bad URL or key file).
  static Result<std::unique_ptr<Hive>> open(const HiveFlags& flags);

  /// One request and its answer. Errors: what the queen rejected it with; unavailable when none answers in
  /// time.
  Result<Reply> ask(RequestBody body);

  [[nodiscard]] ledger::Ledger& ledger() { return ledger_; }
  /// A subscription to the hints of one job.
  [[nodiscard]] std::unique_ptr<bus::Subscriber> hints(const JobId& job);
  /// The same for many jobs: one that is subscribed to nothing yet.
  [[nodiscard]] std::unique_ptr<bus::Subscriber> hints();

 private:
  Hive(std::vector<bus::Endpoints> queens, std::chrono::duration<double> timeout, ledger::Options redis,
       std::optional<bus::Security> security);

  std::vector<bus::Endpoints> queens_;
  std::chrono::duration<double> timeout_;
  bus::Context context_;
  bus::RequestClient client_;
  ledger::Ledger ledger_;
};

/// The body of most commands: ask, then print the answer as JSON (--json) or by `print`.
ExitCode query(const Terminal& terminal, const HiveFlags& flags, RequestBody body,
               const std::function<void(const ReplyBody&)>& print);

/// Checks the text of a JOB argument. Errors: invalid_request.
Result<JobId> parse_job_id(const std::string& text);

}  // namespace waggle::cli
