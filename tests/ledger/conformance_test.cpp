// The life of a job as a table: from a situation, by a step, to a state, with what must be in the log. Every
// row runs against the real scripts in a real Redis; the transitions that they make together must be those of
// PROTOCOL.md's table, all of them and no others.
#include <fstream>
#include <sstream>

#include "tests/ledger/life.h"

namespace waggle::testing {
namespace {

struct Row {
  const char* situation;
  int max_attempts;
  std::function<void(Life&)> steps;
  const char* said;
  JobState state;
  const char* log;
  bool hurried = false;
};

const FailedEvent kRetryable = failed(ErrorCode::out_of_memory);
const FailedEvent kHopeless = failed(ErrorCode::invalid_request);

const std::vector<Row>& table() {
  static const std::vector<Row> rows = {
      {"admitted", 3, [](Life&) {}, "", JobState::queued, "queued"},
      {"claimed", 3, [](Life& l) { l.claim(); }, "", JobState::running, "queued started"},
      {"completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started completed"},
      {"completed, told twice", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started completed"},
      {"completed, then failed by the same attempt", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.finish(kHopeless);
       },
       "ended", JobState::completed, "queued started completed"},
      {"failed beyond help", 3,
       [](Life& l) {
         l.claim();
         l.finish(kHopeless);
       },
       "ended", JobState::failed, "queued started failed"},
      {"failed, attempts left", 3,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
       },
       "requeued", JobState::queued, "queued started retried"},
      {"failed, told twice", 3,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.finish(kRetryable);
       },
       "requeued", JobState::queued, "queued started retried"},
      {"failed, claimed again, the old attempt told twice", 3,
       [](Life& l) {
         l.claim();
         const ledger::Lease old = l.lease;
         l.finish(kRetryable);
         l.claim();
         l.lease = old;
         l.finish(completed());
       },
       "requeued", JobState::running, "queued started retried started"},
      {"failed, attempts used up", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
       },
       "dead", JobState::dead, "queued started dead"},
      {"failed, then completed", 2,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started retried started completed"},
      {"stopped by the worker", 3,
       [](Life& l) {
         l.claim();
         l.finish(CancelledEvent{});
       },
       "ended", JobState::cancelled, "queued started cancelled"},
      {"cancelled while queued", 3, [](Life& l) { l.cancel(); }, "cancelled", JobState::cancelled,
       "queued cancelled"},
      {"cancelled twice", 3,
       [](Life& l) {
         l.cancel();
         l.cancel();
       },
       "job_already_ended", JobState::cancelled, "queued cancelled"},
      {"cancelled while running", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
       },
       "running", JobState::running, "queued started"},
      {"cancelled while running, the worker stops", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(CancelledEvent{});
       },
       "ended", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the result comes later", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(completed());
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker fails", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(kRetryable);
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker dies", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.lose();
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancelled while running, the worker drains", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.release();
       },
       "cancelled", JobState::cancelled, "queued started cancelled"},
      {"cancel of what has completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.cancel();
       },
       "job_already_ended", JobState::completed, "queued started completed"},
      {"worker lost", 3,
       [](Life& l) {
         l.claim();
         l.lose();
       },
       "retried", JobState::queued, "queued started retried"},
      {"worker lost, its result comes late", 3,
       [](Life& l) {
         l.claim();
         l.lose();
         l.finish(completed());
       },
       "refused", JobState::queued, "queued started retried"},
      {"worker lost for the last time", 1,
       [](Life& l) {
         l.claim();
         l.lose();
       },
       "dead", JobState::dead, "queued started dead"},
      {"handed back", 1,
       [](Life& l) {
         l.claim();
         l.release();
       },
       "retried", JobState::queued, "queued started retried"},
      {"handed back, then completed in its only attempt", 1,
       [](Life& l) {
         l.claim();
         l.release();
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started retried started completed"},
      {"dead, requeued", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.requeue();
       },
       "queued", JobState::queued, "queued started dead queued"},
      {"dead, requeued, completed", 1,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.requeue();
         l.claim();
         l.finish(completed());
       },
       "ended", JobState::completed, "queued started dead queued started completed"},
      {"cancelled, requeued", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.finish(completed());
         l.requeue();
       },
       "queued", JobState::queued, "queued started cancelled queued"},
      {"requeue of what waits", 3, [](Life& l) { l.requeue(); }, "invalid_request", JobState::queued,
       "queued"},
      {"requeue of what has completed", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.requeue();
       },
       "invalid_request", JobState::completed, "queued started completed"},
      {"submitted twice", 3, [](Life& l) { l.submit_again(); }, "", JobState::queued, "queued"},
      {"submitted again after its end", 3,
       [](Life& l) {
         l.claim();
         l.finish(completed());
         l.submit_again();
       },
       "ended", JobState::completed, "queued started completed"},
      {"a step reported", 3,
       [](Life& l) {
         l.claim();
         l.progress();
       },
       "", JobState::running, "queued started progress"},
      {"its model paused", 3, [](Life& l) { l.pause(); }, "nothing to claim", JobState::queued, "queued"},
      {"failed beyond help, requeued", 3,
       [](Life& l) {
         l.claim();
         l.finish(kHopeless);
         l.requeue();
       },
       "queued", JobState::queued, "queued started failed queued"},
      {"past its deadline while queued", 3, [](Life& l) { l.miss_deadline(); }, "", JobState::expired,
       "queued expired", true},
      {"past its deadline while running, the result comes later", 3,
       [](Life& l) {
         l.claim();
         l.miss_deadline();
         l.finish(completed());
       },
       "refused", JobState::expired, "queued started expired", true},
      {"past its deadline while it waits for another attempt", 3,
       [](Life& l) {
         l.claim();
         l.finish(kRetryable);
         l.miss_deadline();
       },
       "requeued", JobState::expired, "queued started retried expired", true},
      {"cancelled while running, past its deadline", 3,
       [](Life& l) {
         l.claim();
         l.cancel();
         l.miss_deadline();
       },
       "running", JobState::expired, "queued started expired", true},
      {"requeue of what has expired", 3,
       [](Life& l) {
         l.miss_deadline();
         l.requeue();
       },
       "invalid_request", JobState::expired, "queued expired", true},
  };
  return rows;
}

/// What stands between back-quotes in a cell.
std::string word(const std::string& cell) {
  const std::size_t begin = cell.find('`');
  return begin == std::string::npos ? "" : cell.substr(begin + 1, cell.find('`', begin + 1) - begin - 1);
}

/// PROTOCOL.md's table of transitions: the rows after "| from | to | event | when |".
std::set<Transition> promised() {
  std::ifstream file(WAGGLE_PROTOCOL);
  REQUIRE(file.good());
  std::set<Transition> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "| from | to | event | when |") {
      inside = true;
    } else if (inside && line.starts_with("| ---")) {
      continue;
    } else if (inside && line.starts_with("|")) {
      std::istringstream cells(line.substr(1));
      std::string from, to, event;
      std::getline(cells, from, '|');
      std::getline(cells, to, '|');
      std::getline(cells, event, '|');
      rows.emplace(word(from), word(to), word(event));
    } else if (inside) {
      break;
    }
  }
  return rows;
}

}  // namespace

TEST_CASE(
    "ledger conformance: every situation ends in its state, with its log, by the promised transitions") {
  Desk desk;
  std::set<Transition> seen;
  int number = 0;
  for (const Row& row : table()) {
    INFO(row.situation);
    Life life{desk, ++number, seen};
    life.hurried = row.hurried;
    life.submit(row.max_attempts);
    row.steps(life);
    CHECK(life.said == row.said);
    CHECK(desk.status(number).state == row.state);
    CHECK(desk.log(number) == row.log);

    // Leave nothing behind for the next row.
    if (desk.status(number).state == JobState::queued) life.cancel();
    if (desk.status(number).state == JobState::running) {
      life.lease = {job_id(number), desk.status(number).attempt, WorkerId("w1")};
      life.finish(CancelledEvent{});
    }
    CHECK(is_terminal(desk.status(number).state));
    const auto stats = desk.ledger.stats();
    REQUIRE(stats);
    CHECK(stats->queued + stats->running == 0);
    CHECK(stats->queued_bytes == 0);
  }
  const auto rows = promised();
  for (const auto& [from, to, event] : seen) {
    INFO("made, and not in PROTOCOL.md: " << from << " -> " << to << " by " << event);
    CHECK(rows.contains({from, to, event}));
  }
  for (const auto& [from, to, event] : rows) {
    INFO("in PROTOCOL.md, and never made: " << from << " -> " << to << " by " << event);
    CHECK(seen.contains({from, to, event}));
  }
}

}  // namespace waggle::testing
