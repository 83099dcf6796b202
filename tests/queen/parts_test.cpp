// The queen's parts that need no socket: its table, ids, flags, and what it knows of the pool.
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "consumer/queen/commands.h"
#include "consumer/queen/job_id.h"
#include "consumer/queen/options.h"
#include "consumer/queen/pool.h"
#include "schemas/batch_key.h"

namespace waggle::queen {
namespace {

template <std::size_t... i>
std::vector<std::string> wire_names(std::index_sequence<i...>) {
  return {std::string(name(RequestBody(std::in_place_index<i>)))...};
}

WorkerInfo worker(std::string id, std::vector<std::string> models) {
  WorkerInfo info;
  info.id = WorkerId(id);
  for (std::string& model : models)
    info.models.push_back({std::move(model), "sd15", {"alias-" + id}, false, 0});
  return info;
}

JobRequest job(std::string model) {
  JobRequest request;
  request.model = std::move(model);
  return request;
}

TEST_CASE("queen: every request type has its row, under its name on the wire") {
  const auto names = wire_names(std::make_index_sequence<std::variant_size_v<RequestBody>>{});
  REQUIRE(commands().size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(commands()[i].name == names[i]);
}

TEST_CASE("queen: job ids are valid, differ and sort by the time of admission") {
  std::set<std::string> drawn;
  for (int i = 0; i < 1000; ++i) {
    const JobId id = new_job_id();
    REQUIRE(is_valid_job_id(id.value));
    drawn.insert(id.value);
  }
  CHECK(drawn.size() == 1000);
  using std::chrono::system_clock;
  const auto now = system_clock::now();
  CHECK(new_job_id(now) < new_job_id(now + std::chrono::milliseconds(1)));
  CHECK(new_job_id(system_clock::time_point{}).value.starts_with("00000000-0000-7"));
}

TEST_CASE("queen: two requests have one digest if and only if they are equal") {
  JobRequest request = job("m");
  const std::string first = digest(request);
  CHECK(first.size() == 64);
  CHECK(digest(request) == first);
  request.prompt = "other";
  CHECK(digest(request) != first);
}

TEST_CASE("queen: only loopback endpoints count as loopback") {
  for (const char* here :
       {"tcp://127.0.0.1:5550", "tcp://127.8.8.8:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///x"}) {
    CHECK(is_loopback(here));
  }
  for (const char* open :
       {"tcp://0.0.0.0:1", "tcp://*:1", "tcp://eth0:1", "tcp://127.evil.example:1", "tcp://[::]:1", ""}) {
    CHECK_FALSE(is_loopback(open));
  }
}

TEST_CASE("queen: a bind beyond loopback without keys is refused unless it is asked for") {
  Flags flags;
  flags.listen.publish = "tcp://0.0.0.0:5551";
  const auto refused = read(flags);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("tcp://0.0.0.0:5551") != std::string::npos);
  flags.insecure_bind = true;
  CHECK(read(flags));
}

TEST_CASE("queen: a bad Redis URL and a missing key file are refused by name") {
  Flags flags;
  flags.redis_url = "http://example.org";
  CHECK_FALSE(read(flags));
  flags = {};
  flags.keys.own = "/nonexistent/queen.key";
  const auto refused = read(flags);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::io_error);
  CHECK(refused.error().message.find("queen.key") != std::string::npos);
}

TEST_CASE("queen: an empty pool lets every model pass, a pool without the model names those it has") {
  CHECK(check_pool(job("any"), {}, false));
  const std::vector<WorkerInfo> pool{worker("a", {"sd15"}), worker("b", {"sdxl"})};
  CHECK(check_pool(job("sd15"), pool, false));
  CHECK(check_pool(job("alias-b"), pool, false));
  const auto unknown = check_pool(job("nope"), pool, false);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == ErrorCode::unknown_model);
  CHECK(unknown.error().message.find("sd15, sdxl") != std::string::npos);
  CHECK(unknown.error().fields.at(0).path == "/model");
  CHECK(check_pool(job("nope"), pool, true));
}

TEST_CASE("queen: a job that names its worker is checked against that worker") {
  const std::vector<WorkerInfo> pool{worker("a", {"sd15"}), worker("b", {"sdxl"})};
  JobRequest request = job("sdxl");
  request.worker_id = WorkerId("b");
  CHECK(check_pool(request, pool, false));
  request.worker_id = WorkerId("a");
  CHECK(check_pool(request, pool, false).error().code == ErrorCode::unknown_model);
  request.worker_id = WorkerId("c");
  CHECK(check_pool(request, pool, false).error().code == ErrorCode::unknown_worker);
}

TEST_CASE("queen: a sampler is unknown only when every worker with the model says what it takes") {
  std::vector<WorkerInfo> pool{worker("a", {"sd15"}), worker("b", {"sd15"})};
  pool[0].samplers = {"euler"};
  pool[0].schedules = {"karras"};
  JobRequest request = job("sd15");
  request.sampler = "warp";
  CHECK(check_pool(request, pool, false));
  pool[1].samplers = {"ddim"};
  CHECK(check_pool(request, pool, false).error().code == ErrorCode::unknown_sampler);
  request.sampler = "ddim";
  CHECK(check_pool(request, pool, false));
  request.schedule = "none";
  pool[1].schedules = {"karras"};
  const auto unknown = check_pool(request, pool, false);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().fields.at(0).path == "/schedule");
}

TEST_CASE("queen: the models of a pool are merged by name") {
  std::vector<WorkerInfo> pool{worker("a", {"sd15"}), worker("b", {"sd15", "sdxl"})};
  pool[1].models[0].loaded = true;
  pool[1].models[0].bytes = 7;
  const auto models = models_of(pool);
  REQUIRE(models.size() == 2);
  CHECK(models[0].model.name == "sd15");
  CHECK(models[0].model.loaded);
  CHECK(models[0].model.bytes == 7);
  CHECK(models[0].model.aliases.size() == 2);
  CHECK(models[0].workers == std::vector{WorkerId("a"), WorkerId("b")});
  CHECK(models[1].workers == std::vector{WorkerId("b")});
}

TEST_CASE("queen: the adapters of a pool are those of all its workers, each named once") {
  std::vector<WorkerInfo> pool{worker("a", {"sd15"}), worker("b", {"sd15"})};
  pool[0].adapters = {{"ink", "paper"}, {"bad-hands"}, {}, {"canny"}};
  pool[1].adapters = {{"chalk", "ink"}, {}, {"soft"}, {"canny"}};
  const AdapterLists expected{{"chalk", "ink", "paper"}, {"bad-hands"}, {"soft"}, {"canny"}};
  CHECK(adapters_of(pool) == expected);
  CHECK(adapters_of({}) == AdapterLists{});
}

TEST_CASE("batch key: model, size, LoRA set and conditioning part jobs, everything else does not") {
  JobRequest one = job("sd15");
  one.operation = ImageGeneration{512, 512};
  JobRequest other = one;
  other.prompt = "other";
  other.seed = 5;
  other.steps = 3;
  CHECK(batch_key(one) == batch_key(other));
  other.operation = ImageTransform{PictureInput{BlobId("x")}, 0.5, 512, 512};
  CHECK(batch_key(one) == batch_key(other));
  other.operation = ImageGeneration{512, 768};
  CHECK(batch_key(one) != batch_key(other));
  other.operation = ImageGeneration{};
  CHECK(batch_key(one) != batch_key(other));
  other = one;
  other.model = "sdxl";
  CHECK(batch_key(one) != batch_key(other));
  one.loras = {{"a", 1.0}, {"b", 0.5}};
  other = one;
  other.loras = {{"b", 0.5}, {"a", 1.0}};
  CHECK(batch_key(one) == batch_key(other));
  other.loras[0].strength = 0.25;
  CHECK(batch_key(one) != batch_key(other));
}

TEST_CASE("batch key: jobs that leave out different parts of the UNet are parted, others stay as they were") {
  const JobRequest plain = job("sd15");
  JobRequest other = plain;
  other.guidance_interval = Interval{0.2, 0.8};
  other.deep_cache = 1;
  other.token_merging = 0.0;
  CHECK(batch_key(plain) == batch_key(other));
  other.deep_cache = 3;
  CHECK(batch_key(plain) != batch_key(other));
  other.deep_cache.reset();
  other.token_merging = 0.5;
  CHECK(batch_key(plain) != batch_key(other));
  JobRequest third = other;
  third.token_merging = 0.25;
  CHECK(batch_key(third) != batch_key(other));
}

}  // namespace
}  // namespace waggle::queen
