// Topics: what is made is what is parsed, and nothing else is.
#include "consumer/bus/topics.h"

#include <catch2/catch.hpp>

namespace waggle::bus {
namespace {
const JobId kJob("019a0000-0000-7000-8000-000000000001");
const WorkerId kWorker("gpu-1.local");
}  // namespace

TEST_CASE("topics: what is made is parsed back") {
  const auto parsed = [](const std::string& topic) {
    auto found = parse_topic(topic);
    REQUIRE(found);
    return std::pair(found->kind, found->name);
  };
  CHECK(parsed(jobs_topic("sd15")) == std::pair(TopicKind::jobs, std::string("sd15")));
  CHECK(parsed(jobs_topic("maker/model v2")) == std::pair(TopicKind::jobs, std::string("maker/model v2")));
  CHECK(parsed(jobs_topic(kWorker)) == std::pair(TopicKind::worker_jobs, kWorker.value));
  CHECK(parsed(control_topic(kWorker)) == std::pair(TopicKind::control, kWorker.value));
  CHECK(parsed(control_topic_all()) == std::pair(TopicKind::control, std::string("*")));
  CHECK(parsed(events_topic(kJob)) == std::pair(TopicKind::events, kJob.value));
  CHECK(parsed(workers_topic(kWorker)) == std::pair(TopicKind::workers, kWorker.value));
}

TEST_CASE("topics: what is not ours is nothing") {
  for (const std::string& topic :
       {std::string(), std::string("/"), std::string("jobs"), std::string("jobs/"), std::string("jobs//"),
        std::string("jobs/sd15"), std::string("jobs/@/"), std::string("jobs/@a b/"),
        std::string("events/not-a-uuid/"), std::string("workers/a/b/"), std::string("control/**/"),
        std::string("other/x/"), std::string("jobs/\xff/"), std::string("jobs/a\nb/"),
        std::string("jobs/a\0b/", 9), "jobs/" + std::string(400, 'a') + "/",
        "jobs/" + std::string(257, 'a') + "/"}) {
    CAPTURE(topic);
    CHECK_FALSE(parse_topic(topic));
  }
}

}  // namespace waggle::bus
