// Quoting: an endpoint or a folder with strange characters stays one JSON string and one word of the shell.
#include "consumer/cli/up_report.h"

#include <catch2/catch.hpp>

using namespace waggle::cli;

TEST_CASE("up: JSON strings and shell words survive strange characters") {
  CHECK(json_string("plain") == "\"plain\"");
  CHECK(json_string("a\"b\\c\n") == "\"a\\\"b\\\\c\\u000a\"");
  CHECK(shell_word("it's") == "'it'\\''s'");
}

TEST_CASE("up: the endpoints are one line of JSON") {
  PoolEndpoints endpoints;
  endpoints.connect = "ipc:///a,ipc:///b,ipc:///c";
  endpoints.redis_url = "unix:///r";
  endpoints.host = "0.0.0.0";
  endpoints.port = 8080;
  endpoints.data = "/d";
  endpoints.pids = {{"redis", 12}, {"queen", 13}};
  CHECK(endpoints_json(endpoints) ==
        "{\"url\":\"http://127.0.0.1:8080\",\"connect\":\"ipc:///a,ipc:///b,ipc:///c\","
        "\"redis_url\":\"unix:///r\",\"data\":\"/d\",\"pids\":{\"redis\":12,\"queen\":13}}\n");
}
