// Wire names: what they are is a promise, so they are written out here once more.
#include <set>

#include <catch2/catch.hpp>

#include "schemas/event.h"
#include "schemas/job.h"
#include "schemas/message.h"
#include "schemas/worker_info.h"

namespace waggle {

namespace {

template <class Variant>
std::vector<std::string> names_of() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return std::vector<std::string>{std::string(name(Variant(std::in_place_index<I>)))...};
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>{});
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("names: operations, events, requests, replies and control") {
  CHECK(names_of<Operation>() == Names{"image_generation", "image_transform", "image_inpaint"});
  CHECK(names_of<EventBody>() == Names{"queued", "started", "progress", "preview", "completed", "failed",
                                       "cancelled", "retried", "expired", "dead"});
  CHECK(names_of<RequestBody>() == Names{"submit", "submit_many", "cancel", "status", "list", "workers",
                                         "models", "requeue", "drain", "stats", "pause", "resume",
                                         "load_model", "unload_model"});
  CHECK(names_of<ReplyBody>() == Names{"accepted", "rejected", "accepted_many", "cancelled", "status", "list",
                                       "workers", "models", "requeued", "draining", "stats", "paused",
                                       "resumed", "told"});
  CHECK(names_of<Control>() == Names{"cancel", "drain", "load_model", "unload_model"});
}

TEST_CASE("names: states and formats lead back to themselves") {
  const Names states{"queued", "running", "completed", "failed", "cancelled", "expired", "dead"};
  for (const std::string& text : states) CHECK(name(job_state_from_name(text).value()) == text);
  for (const std::string text : {"starting", "idle", "busy", "draining", "broken", "stopped"}) {
    CHECK(name(worker_state_from_name(text).value()) == text);
  }
  for (const std::string text : {"png", "jpeg", "webp"}) {
    const OutputFormat format = output_format_from_name(text).value();
    CHECK(name(format) == text);
    CHECK(media_type(format) == "image/" + text);
  }
  for (const char* bad : {"", "PNG", "queued ", "unknown"}) {
    CHECK_FALSE(job_state_from_name(bad).has_value());
    CHECK_FALSE(worker_state_from_name(bad).has_value());
    CHECK_FALSE(output_format_from_name(bad).has_value());
  }
}

TEST_CASE("names: an event that ends a job bears the name of a state that ends it") {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto check = [](const EventBody& body) {
      INFO(name(body));
      const std::optional<JobState> state = job_state_from_name(name(body));
      CHECK(is_terminal(body) == (state.has_value() && is_terminal(*state)));
    };
    (check(EventBody(std::in_place_index<I>)), ...);
  }
  (std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

}  // namespace waggle
