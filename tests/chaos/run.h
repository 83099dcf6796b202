// One run of chaos from its plan to its verdict: the jobs go in, the blows fall, and when all jobs have ended
// and all readers have read, the checker looks at both sides.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "consumer/ledger/ledger.h"
#include "tests/chaos/client.h"
#include "tests/chaos/history.h"
#include "tests/chaos/journal.h"
#include "tests/chaos/plan.h"
#include "tests/chaos/readers.h"
#include "tests/chaos/stage.h"

namespace waggle::chaos {

/// What a run came to.
struct Verdict {
  std::vector<std::string> complaints;  ///< "job 17 (<id>): ..."; empty when all is well
  StatsReply stats;
  int blows = 0;
  double seconds = 0;
  long pictures = 0;  ///< of the real model, compared with others of their seed
  long retries = 0;   ///< attempts that did not end their job
  /// From the kill of a worker to each job that it had in hand being queued again, and to its next start
  /// without the back-off that a job has after its second loss. Sorted; includes what else was down
  /// meanwhile.
  std::vector<std::int64_t> missed_ms, moved_ms;
};

class Run {
 public:
  Run(Plan plan, const std::filesystem::path& programs, const std::filesystem::path& folder,
      const std::filesystem::path& model);
  Verdict go();

 private:
  using Clock = std::chrono::steady_clock;
  /// Until all is over, or does not end.
  void run();
  void submit_more();
  void cancel_due();
  void strike_due();
  void take(int number, const RequestBody& asked, const ReplyBody& reply);
  /// Looks at the record now and then. False when nothing has moved for too long.
  bool moves();
  [[nodiscard]] bool finished() const;
  /// Asked again while Redis is busy with something else; of a Redis that stays away nothing is asked twice.
  template <class Call>
  auto insist(Call call);
  [[nodiscard]] Kept kept(const JobId& id);
  Verdict judge();
  void note_moves(const Kept& kept, Verdict& verdict) const;

  const Plan plan_;
  Journal journal_;
  Stage stage_;
  bus::Context context_;
  ledger::Ledger ledger_;
  Client client_;
  StreamReaders streams_;
  BusReader bus_;
  std::map<int, Told> told_;
  std::size_t next_job_ = 0, next_blow_ = 0;
  std::multimap<int, int> cancels_;  ///< job numbers by when to ask
  int accepted_ = 0;
  StatsReply stats_;
  bool redis_answers_ = true;
  Clock::time_point next_look_{}, moved_at_ = Clock::now();
  std::vector<std::string> complaints_;
};

}  // namespace waggle::chaos
