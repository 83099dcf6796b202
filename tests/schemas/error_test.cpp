// The error table as a whole: complete, in order, without two rows of one name.
#include "schemas/error.h"

#include <set>

#include <catch2/catch.hpp>

namespace waggle {

TEST_CASE("errors: the table has every code in enumerator order") {
  const auto& table = error_table();
  REQUIRE(table.size() == static_cast<std::size_t>(ErrorCode::internal) + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    CHECK(table[i].code == static_cast<ErrorCode>(i));
    CHECK(&traits(static_cast<ErrorCode>(i)) == &table[i]);
  }
}

TEST_CASE("errors: names are snake_case, unique, and lead back to their code") {
  std::set<std::string_view> names;
  for (const ErrorTraits& row : error_table()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.name.empty());
    CHECK(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(error_code_from_name(row.name) == row.code);
  }
  CHECK_FALSE(error_code_from_name("").has_value());
  CHECK_FALSE(error_code_from_name("Internal").has_value());
}

TEST_CASE("errors: every HTTP status is an error's, and back-pressure says so") {
  for (const ErrorTraits& row : error_table()) {
    INFO(row.name);
    CHECK(row.http_status >= 400);
    CHECK(row.http_status < 600);
  }
  CHECK(traits(ErrorCode::queue_full).http_status == 503);
  CHECK(traits(ErrorCode::rate_limited).http_status == 429);
  CHECK(traits(ErrorCode::idempotency_conflict).http_status == 422);
  CHECK(traits(ErrorCode::job_expired).http_status == 410);
  CHECK(traits(ErrorCode::job_already_ended).http_status == 409);
}

TEST_CASE("errors: what lies with the worker may be retried, what lies with the request may not") {
  using enum ErrorCode;
  for (const ErrorCode code :
       {out_of_memory, device_error, stalled, lease_lost, worker_lost, io_error, internal}) {
    CHECK(Error{code, "", {}, {}}.retryable());
  }
  for (const ErrorCode code :
       {invalid_request, unsupported_media, unknown_sampler, unknown_adapter, cancelled}) {
    CHECK_FALSE(Error{code, "", {}, {}}.retryable());
  }
}

TEST_CASE("errors: a code from nowhere reads as internal") {
  CHECK(traits(static_cast<ErrorCode>(250)).code == ErrorCode::internal);
}

TEST_CASE("errors: one line for logs") {
  CHECK(to_string(Error{ErrorCode::stalled, "", {}, {}}) == "stalled");
  CHECK(to_string(Error{ErrorCode::stalled, "no step for 30 s", {}, {}}) == "stalled: no step for 30 s");
  CHECK(to_string(
            Error{ErrorCode::invalid_request, "2 fields are wrong", {{"/steps", "x"}, {"/n", "y"}}, {}}) ==
        "invalid_request: 2 fields are wrong (/steps: x; /n: y)");
}

}  // namespace waggle
