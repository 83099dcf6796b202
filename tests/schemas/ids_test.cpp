// Ids from outside: what passes becomes part of topics, keys and file names, so the tests try to break out of
// those.
#include "schemas/ids.h"

#include <catch2/catch.hpp>

namespace waggle {

TEST_CASE("ids: a job id is a UUID version 7 in lower case") {
  CHECK(is_valid_job_id("01928c4e-7a3b-7c5d-8e9f-0123456789ab"));
  for (const char* bad : {"", "01928c4e7a3b7c5d8e9f0123456789ab", "01928C4E-7A3B-7C5D-8E9F-0123456789AB",
                          "01928c4e-7a3b-4c5d-8e9f-0123456789ab", "01928c4e-7a3b-7c5d-ce9f-0123456789ab",
                          "01928c4e-7a3b-7c5d-8e9f-0123456789a", "01928c4e-7a3b-7c5d-8e9f-0123456789abc",
                          "01928c4e-7a3b-7c5d-8e9f-0123456789ag", "01928c4e_7a3b_7c5d_8e9f_0123456789ab"}) {
    INFO(bad);
    CHECK_FALSE(is_valid_job_id(bad));
  }
}

TEST_CASE("ids: worker and request ids are 1 to 64 harmless characters") {
  for (const auto is_valid : {is_valid_worker_id, is_valid_request_id}) {
    CHECK(is_valid("a"));
    CHECK(is_valid("gpu-7.rack_2"));
    CHECK(is_valid(std::string(64, 'x')));
    for (const std::string& bad :
         {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a/b"), std::string("*"),
          std::string("@w"), std::string("a\n"), std::string("a\0b", 3), std::string("\xc3\xa4")}) {
      CHECK_FALSE(is_valid(bad));
    }
  }
}

TEST_CASE("ids: a blob id is sha256: and 64 lower-case hexadecimal digits") {
  const std::string digits(64, 'a');
  CHECK(is_valid_blob_id("sha256:" + digits));
  CHECK_FALSE(is_valid_blob_id(digits));
  CHECK_FALSE(is_valid_blob_id("sha256:" + digits + "a"));
  CHECK_FALSE(is_valid_blob_id("sha256:" + digits.substr(1)));
  CHECK_FALSE(is_valid_blob_id("sha256:" + std::string(64, 'A')));
  CHECK_FALSE(is_valid_blob_id("sha512:" + digits));
}

TEST_CASE("ids: an event id is a stream entry id as Redis writes it") {
  for (const char* good : {"0-0", "0-1", "1732356000123-0", "18446744073709551615-18446744073709551615"}) {
    INFO(good);
    CHECK(is_valid_event_id(good));
  }
  for (const char* bad : {"", "-", "1", "1-", "-1", "1-2-3", "01-0", "1-00", "+1-0", "1 -0", "a-0", "$", "*",
                          "(1-0", "18446744073709551616-0", "99999999999999999999-0"}) {
    INFO(bad);
    CHECK_FALSE(is_valid_event_id(bad));
  }
}

}  // namespace waggle
