// Requests that name what is not there, on every way in: an answer with its path and what to do, never a
// crash.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "schemas/codec/base64.h"
#include "tests/bridge/http_client.h"
#include "tests/e2e/machine.h"
#include "tests/schemas/tiny_picture.h"

using namespace waggle;
using namespace waggle::e2e;

TEST_CASE("bad input: unknown model, sampler, worker and job are refused by name") {
  Pool pool(model_pool());
  const std::string unknown_job = "01890a5d-ac96-774b-bcce-b302099a8057";

  const Run model = pool.waggle({"submit", "--model", "sd99", "a bee"});
  INFO(model.output);
  CHECK(model.exit_status == 2);
  CHECK(model.output.find("unknown_model") != std::string::npos);
  CHECK(model.output.find("sd15") != std::string::npos);

  const Run sampler = pool.waggle({"submit", "--model", "sd15", "a bee", "--sampler", "wiggle", "--wait"});
  INFO(sampler.output);
  CHECK((sampler.exit_status == 1 || sampler.exit_status == 2));
  CHECK(sampler.output.find("unknown_sampler") != std::string::npos);

  CHECK(pool.waggle({"submit", "--model", "sd15", "a bee", "--worker", "nobody"}).exit_status == 2);
  CHECK(pool.waggle({"drain", "nobody"}).exit_status == 2);
  for (const char* command : {"status", "watch", "cancel", "fetch", "requeue"}) {
    const Run unknown = pool.waggle({command, unknown_job});
    INFO(command << "\n" << unknown.output);
    CHECK(unknown.exit_status == 2);
    CHECK(unknown.output.find("unknown_job") != std::string::npos);
    CHECK(unknown.output.find("waggle jobs") != std::string::npos);
  }

  testing::HttpClient client(pool.port());
  CHECK(client.ask("GET", "/v1/jobs/" + unknown_job).status == 404);
  CHECK(client.ask("GET", "/v1/jobs/" + unknown_job + "/stream").status == 404);
  CHECK(client.ask("DELETE", "/v1/jobs/" + unknown_job).status == 404);
  const auto posted = client.ask("POST", "/v1/jobs", R"({"model":"sd99","prompt":"a bee"})");
  CHECK(posted.status >= 400);
  CHECK(posted.status < 500);
}

TEST_CASE("bad input: after all of it the pool still renders") {
  Pool pool(model_pool());
  testing::HttpClient client(pool.port());
  for (const char* body :
       {"", "{", "[]", "null", R"({"prompt":1})", R"({"model":"sd15","prompt":"x","steps":0})",
        R"({"model":"sd15","prompt":"x","width":513,"height":512})",
        R"({"model":"sd15","prompt":"x","width":100000,"height":8})",
        "{\"model\":\"sd15\",\"prompt\":\"\xff\"}"}) {
    testing::HttpClient one(pool.port());
    const auto reply = one.ask("POST", "/v1/jobs", body);
    INFO(body << "\n" << reply.status << " " << reply.body);
    CHECK(reply.status >= 400);
    CHECK(reply.status < 500);
  }
  // Half a picture is refused at once, whichever way it comes.
  const std::string half = testing::tiny_png().substr(0, 40);
  testing::HttpClient posting(pool.port());
  const auto reply = posting.ask("POST", "/v1/jobs",
                                 nlohmann::json{{"operation", "image_transform"},
                                                {"model", "sd15"},
                                                {"prompt", "x"},
                                                {"input_image", codec::base64_encode(half)}}
                                     .dump());
  INFO(reply.body);
  CHECK(reply.status == 400);
  const auto problem = nlohmann::json::parse(reply.body);
  CHECK(problem.at("errors").at(0).at("pointer") == "/input_image");
  CHECK(problem.at("errors").at(0).at("detail") == "is a PNG that is cut off after 40 bytes");

  // One that is whole from outside and broken within gets in, and fails with its path in the worker.
  std::string spoilt = testing::tiny_png();
  spoilt[19] = '\x40';
  testing::HttpClient another(pool.port());
  const auto accepted = another.ask("POST", "/v1/jobs",
                                    nlohmann::json{{"operation", "image_transform"},
                                                   {"model", "sd15"},
                                                   {"prompt", "x"},
                                                   {"input_image", codec::base64_encode(spoilt)}}
                                        .dump());
  REQUIRE(accepted.status == 202);
  const JobId failed(nlohmann::json::parse(accepted.body).at("job_id").get<std::string>());
  const auto status = pool.wait_for_end(failed);
  CHECK(status.state == JobState::failed);
  REQUIRE(status.error.has_value());
  CHECK(status.error->fields.at(0).path == "/input_image");

  const JobId job = pool.submit("sd15", {"--steps", "2", "--size", "64x64"});
  CHECK(pool.wait_for_end(job).state == JobState::completed);
}
