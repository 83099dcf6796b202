// The pictures of a request: all of them, each under the path that a client would be told.
#include "schemas/pictures.h"

#include <catch2/catch.hpp>

namespace waggle {

TEST_CASE("pictures: those of the controls and of the operation, with their paths") {
  JobRequest request;
  CHECK(pictures_of(request).empty());
  request.controls = {{"canny", {"a"}}, {"depth", {"b"}}};
  request.operation = ImageTransform{{"c"}, 0.8, {}, {}};
  const auto transform = pictures_of(request);
  REQUIRE(transform.size() == 3);
  CHECK(transform[1].first == "/controls/1/image");
  CHECK(transform[2].first == "/input_image");
  CHECK(std::get<std::string>(transform[2].second->source) == "c");

  request.operation = ImageInpaint{{"d"}, {"e"}, 1.0, {}, {}};
  const JobRequest& unchanged = request;
  const auto inpaint = pictures_of(unchanged);
  REQUIRE(inpaint.size() == 4);
  CHECK(inpaint[2].first == "/init_image");
  CHECK(inpaint[3].first == "/mask_image");
}

TEST_CASE("pictures: what is written through them stays in the request") {
  JobRequest request;
  request.controls = {{"canny", {"bytes"}}};
  for (auto& [path, picture] : pictures_of(request)) picture->source = BlobId{"sha256:x"};
  CHECK(request.controls[0].image.is_reference());
}

}  // namespace waggle
