// The screen of `waggle top` as text: it fits every size, loses nothing that fits, and lies about nothing.
#include "consumer/cli/observe/top_screen.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace waggle;
using namespace waggle::cli;
using namespace std::chrono_literals;

namespace {

JobStatus job(int number, JobState state, const std::string& model) {
  JobStatus status;
  char id[40];
  std::snprintf(id, sizeof id, "01890a5d-ac96-774b-bcce-b3020%07d", number);
  status.id = JobId(id);
  status.state = state;
  status.model = model;
  status.submitted_at_ms = 1'000'000 - number * 1000;
  status.started_at_ms = 1'000'000;
  if (is_terminal(state)) status.finished_at_ms = 1'004'000 + number;
  status.step = 3;
  status.total_steps = 20;
  return status;
}

PoolView view_of(int workers, int ended) {
  PoolView view;
  view.at_ms = 1'010'000;
  view.stats.queued = 12;
  view.stats.running = workers;
  view.stats.completed = 345;
  view.stats.workers = workers;
  view.stats.uptime_s = 7300;
  std::vector<JobStatus> queued;
  for (int i = 0; i < 12; ++i) queued.push_back(job(100 + i, JobState::queued, i < 9 ? "sd15" : "sdxl"));
  for (int i = 0; i < workers; ++i) {
    view.running.push_back(job(i, JobState::running, "sd15"));
    WorkerInfo worker;
    worker.id = WorkerId("gpu-" + std::to_string(i));
    worker.state = WorkerState::busy;
    worker.device = "cuda:0";
    worker.precision = "fp16";
    worker.models = {{"sd15", "sd15", {}, true, 0}, {"日本\033[2J", "sd15", {}, false, 0}};
    worker.jobs = {view.running.back().id};
    worker.steps_per_s = 12.345;
    worker.memory_used_bytes = 3'400'000'000;
    worker.jobs_done = 7;
    view.workers.push_back(worker);
  }
  view.models = depths_of(queued, view.running);
  for (int i = 0; i < ended; ++i)
    view.ended.push_back(job(50 + i, i % 2 == 0 ? JobState::completed : JobState::failed, "sd15"));
  view.ended_per_min = 12.0;
  return view;
}

int columns(const std::string& line) {
  int count = 0;
  bool escape = false;
  for (const char c : line) {
    if (c == '\033') escape = true;
    if (!escape && (static_cast<unsigned char>(c) & 0xc0) != 0x80) ++count;
    if (escape && c == 'm') escape = false;
  }
  return count;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("top: no size is exceeded, however small, and the keys stay on the last row") {
  for (const auto& view : {view_of(0, 0), view_of(3, 5), view_of(200, 100)}) {
    for (const TerminalSize size :
         {TerminalSize{80, 24}, {20, 5}, {1, 1}, {40, 10}, {200, 60}, {80, 3}, {0, 24}}) {
      for (const bool colour : {false, true}) {
        const auto lines = top_screen(view, size, {.colour = colour, .keys = true, .trouble = {}});
        INFO(size.columns << "x" << size.rows << "\n" << joined(lines));
        CHECK(lines.size() == static_cast<std::size_t>(size.rows));
        for (const std::string& line : lines) CHECK(columns(line) <= size.columns);
        if (size.columns > 20) CHECK(lines.back().find("q quit") != std::string::npos);
      }
    }
  }
}

TEST_CASE("top: on 80x24 a small pool is there as a whole") {
  const std::string text = joined(top_screen(view_of(2, 3), {80, 24}, {.keys = true, .trouble = {}}));
  INFO(text);
  for (const char* part :
       {"queued 12", "running 2", "completed 345", "ended/min 12.0", "queen up 2 h", "sdxl", "gpu-1",
        "cuda:0/fp16", "3/20", "12.35", "3.4 GB", "sd15*", "completed", "failed"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  // 9 queued and 2 running of sd15; its oldest waits since second 892.
  CHECK(text.find("sd15   9       2        118 s") != std::string::npos);
}

TEST_CASE("top: what does not fit is counted") {
  const std::string text = joined(top_screen(view_of(40, 50), {80, 24}, {.keys = true, .trouble = {}}));
  INFO(text);
  const std::size_t more = text.find("more");
  CHECK(more != std::string::npos);
  CHECK(text.find("more", more + 1) != std::string::npos);
  CHECK(text.find("ENDED") != std::string::npos);
}

TEST_CASE("top: without a limit of rows everything is told") {
  const auto lines = top_screen(view_of(40, 50), {1000, 0}, {.trouble = {}});
  CHECK(joined(lines).find("more") == std::string::npos);
  CHECK(lines.size() > 95);
}

TEST_CASE("top: names from the wire neither move the cursor nor break the columns") {
  const std::string text = joined(top_screen(view_of(1, 0), {200, 24}, {.trouble = {}}));
  CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
}

TEST_CASE("top: an empty pool and trouble are said in words") {
  PoolView view;
  const std::string text =
      joined(top_screen(view, {80, 24}, {.keys = true, .paused = true, .trouble = "unavailable: x"}));
  for (const char* part : {"no job waits", "no worker", "has ended", "unavailable: x", "(paused)"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("top: a line is cut by columns, not bytes, and its colours end with it") {
  CHECK(fitted("abc", 5) == "abc");
  CHECK(fitted("abcdef", 3) == "abc");
  CHECK(fitted("äöü", 2) == "äö");
  CHECK(fitted("\033[32mabcdef\033[0m", 3) == "\033[32mabc\033[0m");
  CHECK(fitted("abc", 0).empty());
}

TEST_CASE("top: the rate of ends is measured over a minute, and anew when records expire") {
  EndRate rate;
  const EndRate::Clock::time_point start{};
  CHECK_FALSE(rate.per_min());
  rate.add(100, start);
  CHECK_FALSE(rate.per_min());
  rate.add(110, start + 30s);
  CHECK(*rate.per_min() == Approx(20));
  for (int second = 31; second <= 600; ++second) rate.add(110, start + std::chrono::seconds(second));
  CHECK(*rate.per_min() == Approx(0));
  rate.add(5, start + 601s);
  CHECK_FALSE(rate.per_min());
}

TEST_CASE("top: ends of the last minute are counted from a single look") {
  const PoolView view = view_of(0, 7);
  CHECK(ends_in_last_minute(view.ended, view.at_ms) == 7);
  CHECK(ends_in_last_minute(view.ended, view.at_ms + 60'000) == 0);
}

TEST_CASE("top: JSON has the same, and no envelope") {
  const auto json = nlohmann::json::parse(view_json(view_of(2, 3)));
  CHECK(json["stats"]["queued"] == 12);
  CHECK_FALSE(json["stats"].contains("request_id"));
  CHECK(json["models"][0]["model"] == "sd15");
  CHECK(json["models"][0]["queued"] == 9);
  CHECK(json["workers"].size() == 2);
  CHECK(json["running"].size() == 2);
  CHECK(json["ended"].size() == 3);
}
