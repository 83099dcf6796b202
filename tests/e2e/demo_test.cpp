// The model that ships, served by a `waggle up` that was told of no model: the three operations over HTTP, as
// `./dev demo` asks for them, and what the judge sees in the pictures.
#include <algorithm>
#include <optional>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "pipeline/image/picture.h"
#include "schemas/codec/base64.h"
#include "tests/bridge/http_client.h"
#include "tests/demo/judge.h"
#include "tests/e2e/machine.h"

using namespace waggle;
using namespace waggle::e2e;
using nlohmann::json;

namespace {

constexpr int kSide = 128;

/// The picture of a job with these fields besides the usual ones, as the bridge gives it.
std::string rendered(Pool& pool, const json& fields) {
  testing::HttpClient client(pool.port());
  json request{{"model", "waggle-shapes"}, {"steps", 20}};
  request.update(fields);
  const auto posted = client.ask("POST", "/v1/jobs", request.dump());
  INFO(posted.body);
  REQUIRE(posted.status == 202);
  const JobId job{json::parse(posted.body).at("job_id").get<std::string>()};
  REQUIRE(pool.wait_for_end(job).state == JobState::completed);
  const auto image = client.ask("GET", "/v1/jobs/" + job.value + "/images/0");
  REQUIRE(image.status == 200);
  return image.body;
}

pipeline::Picture decoded(const std::string& bytes) {
  auto picture = pipeline::decode(bytes);
  REQUIRE(picture);
  REQUIRE(picture->width == kSide);
  REQUIRE(picture->height == kSide);
  return std::move(picture).value();
}

/// Black with a white square, as a PNG in base64.
std::string mask(int left, int top, int size) {
  pipeline::Picture picture{kSide, kSide, 3, std::vector<std::uint8_t>(kSide * kSide * 3, 0)};
  for (int y = top; y < top + size; ++y) {
    const auto row = picture.samples.begin() + (y * kSide + left) * 3;
    std::fill(row, row + size * 3, std::uint8_t{255});
  }
  return codec::base64_encode(pipeline::encode(picture, OutputFormat::png));
}

bool shows(const demo::Seen& seen, training::Color color, training::Shape shape) {
  return std::any_of(seen.figures.begin(), seen.figures.end(), [&](const demo::SeenFigure& figure) {
    return figure.color == color && figure.shape == shape;
  });
}

}  // namespace

TEST_CASE("demo: the model that ships does what the words say, by all three operations") {
  Pool pool({"--worker-flag=--precision=fp32"});
  const std::string first =
      rendered(pool, {{"operation", "image_generation"},
                      {"prompt", "a big red heart in the centre on a yellow background"},
                      {"seed", 7}});
  const demo::Seen generated = demo::look_at(decoded(first));
  INFO("text to image: " << demo::in_words(generated));
  CHECK(shows(generated, training::Color::red, training::Shape::heart));
  CHECK(generated.first == training::Color::yellow);

  const demo::Seen transformed = demo::look_at(
      decoded(rendered(pool, {{"operation", "image_transform"},
                              {"prompt", "a big blue star in the centre on a yellow background"},
                              {"strength", 0.8},
                              {"seed", 8},
                              {"input_image", codec::base64_encode(first)}})));
  INFO("image to image: " << demo::in_words(transformed));
  CHECK(shows(transformed, training::Color::blue, training::Shape::star));

  const pipeline::Picture before = decoded(first);
  const pipeline::Picture inpainted =
      decoded(rendered(pool, {{"operation", "image_inpaint"},
                              {"prompt", "a big green square in the centre on a yellow background"},
                              {"seed", 9},
                              {"paste_back", true},
                              {"init_image", codec::base64_encode(first)},
                              {"mask_image", mask(24, 24, 80)}}));
  const demo::Seen seen = demo::look_at(inpainted);
  INFO("inpainting: " << demo::in_words(seen));
  CHECK(shows(seen, training::Color::green, training::Shape::square));
  // The first rows are outside the mask.
  CHECK(
      std::equal(before.samples.begin(), before.samples.begin() + 24 * kSide * 3, inpainted.samples.begin()));
}
