// The same job on every way in gives the same picture.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "consumer/cli/private_folder.h"
#include "pipeline/image/picture.h"
#include "schemas/codec/base64.h"
#include "tests/bridge/http_client.h"
#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;

namespace {

const std::vector<std::string> kSettings{"--steps", "6",     "--seed",    "42",
                                         "--size",  "64x64", "--sampler", "euler"};

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

pipeline::Picture picture(const std::string& bytes) {
  auto decoded = pipeline::decode(bytes);
  REQUIRE(decoded);
  return std::move(decoded).value();
}

pipeline::Picture rendered_in_process(const std::filesystem::path& folder) {
  std::vector<std::string> arguments{"render",
                                     "--model",
                                     WAGGLE_TEST_MODEL,
                                     "a bee on a flower",
                                     "--precision",
                                     "fp32",
                                     "--threads",
                                     "1",
                                     "-o",
                                     (folder / "rendered.png").string()};
  arguments.insert(arguments.end(), kSettings.begin(), kSettings.end());
  const Run rendered = run("waggle", arguments);
  INFO(rendered.output);
  REQUIRE(rendered.exit_status == 0);
  CHECK(rendered.output == (folder / "rendered.png").string() + "\n");
  return picture(bytes_of(folder / "rendered.png"));
}

pipeline::Picture fetched_from_the_queue(Pool& pool, const std::filesystem::path& folder) {
  const JobId job = pool.submit("sd15", kSettings);
  const Run fetched = pool.waggle({"fetch", job.value, "--wait", "-o", folder.string()});
  INFO(fetched.output);
  REQUIRE(fetched.exit_status == 0);
  REQUIRE_FALSE(fetched.output.empty());
  return picture(bytes_of(fetched.output.substr(0, fetched.output.find('\n'))));
}

/// POST, then the stream to its end: the picture in its `complete` event, and the one that GET gives.
std::pair<pipeline::Picture, pipeline::Picture> streamed_over_http(Pool& pool) {
  testing::HttpClient client(pool.port());
  const auto posted =
      client.ask("POST", "/v1/jobs",
                 R"({"operation":"image_generation","model":"sd15","prompt":"a bee on a flower",)"
                 R"("steps":6,"seed":42,"width":64,"height":64,"sampler":"euler"})");
  INFO(posted.body);
  REQUIRE(posted.status == 202);
  const std::string job = nlohmann::json::parse(posted.body).at("job_id");

  testing::HttpClient reader(pool.port());
  reader.send("GET /v1/jobs/" + job + "/stream HTTP/1.1\r\nHost: bridge\r\n\r\n");
  REQUIRE(reader.read_header().status == 200);
  std::optional<pipeline::Picture> complete;
  std::string last;
  int progress = 0;
  while (const auto event = reader.next_event(30s)) {
    last = event->data;
    if (!last.starts_with("{")) break;
    const auto data = nlohmann::json::parse(last);
    if (data.at("type") == "progress") ++progress;
    if (data.at("type") != "complete") continue;
    const auto bytes = codec::base64_decode(data.at("image").get<std::string>());
    REQUIRE(bytes);
    complete = picture(*bytes);
  }
  CHECK(last == "[DONE]");
  CHECK(progress > 0);
  REQUIRE(complete);
  const auto image = client.ask("GET", "/v1/jobs/" + job + "/images/0");
  REQUIRE(image.status == 200);
  CHECK(image.headers.at("content-type") == "image/png");
  return {*complete, picture(image.body)};
}

}  // namespace

TEST_CASE("pictures: render, submit and HTTP give identical pixels") {
  const cli::PrivateFolder folder("waggle-test-");
  Pool pool(model_pool());
  const pipeline::Picture rendered = rendered_in_process(folder.path());
  CHECK(rendered.width == 64);
  CHECK(rendered.height == 64);
  const pipeline::Picture fetched = fetched_from_the_queue(pool, folder.path());
  const auto [streamed, got] = streamed_over_http(pool);
  CHECK(fetched.samples == rendered.samples);
  CHECK(streamed.samples == rendered.samples);
  CHECK(got.samples == rendered.samples);
}

TEST_CASE("pictures: image i of a job has the seed of a job with seed + i") {
  const cli::PrivateFolder folder("waggle-test-");
  const auto render = [&](const char* seed, const char* images, const char* file) {
    const Run rendered = run("waggle", {"render", "--model", WAGGLE_TEST_MODEL, "a bee", "--steps", "3",
                                        "--size", "64x64", "--precision", "fp32", "--seed", seed, "-n",
                                        images, "-o", (folder.path() / file).string()});
    INFO(rendered.output);
    REQUIRE(rendered.exit_status == 0);
  };
  render("7", "2", "pair.png");
  render("8", "1", "single.png");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "pair.png"));
  CHECK(std::filesystem::exists(folder.path() / "pair-1.png"));
  // One UNet call for two images adds up in another order than one for each: the last bit of a sample may
  // differ.
  const auto second = picture(bytes_of(folder.path() / "pair-2.png"));
  const auto single = picture(bytes_of(folder.path() / "single.png"));
  REQUIRE(second.samples.size() == single.samples.size());
  int most = 0;
  for (std::size_t i = 0; i < single.samples.size(); ++i) {
    most = std::max(most, std::abs(second.samples[i] - single.samples[i]));
  }
  CHECK(most <= 1);
}

TEST_CASE("pictures: Ctrl-C in mid-render leaves no file and exits as shells expect") {
  const cli::PrivateFolder folder("waggle-test-");
  auto child = cli::ChildProcess::start({std::string(WAGGLE_PROGRAMS) + "/waggle", "render", "--model",
                                         WAGGLE_TEST_MODEL, "a bee", "--steps", "500", "--size", "512x512",
                                         "-o", (folder.path() / "out.png").string()});
  REQUIRE(child);
  SECTION("while it renders") {
    // Compute threads exist once the engine has had its first call.
    const auto tasks = std::filesystem::path("/proc") / std::to_string(child->pid()) / "task";
    REQUIRE(eventually([&] {
      std::error_code gone;
      return std::distance(std::filesystem::directory_iterator(tasks, gone), {}) >= 3;
    }));
  }
  SECTION("whenever it comes") {}
  // Before the program has set itself up the signal simply ends it, which a shell also counts as 130.
  child->send_signal(SIGINT);
  const auto end = child->wait(20s);
  REQUIRE(end);
  CHECK((end->exit_status == 130 || end->signal == SIGINT));
  CHECK(std::filesystem::is_empty(folder.path()));
}
