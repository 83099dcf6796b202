// The pictures of a request, each with the path of its field: whoever stores, fetches or checks them needs no
// list of operations.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "schemas/operation.h"

namespace waggle {

/// In the order of the fields. The pointers hold while the request does. `Request`: JobRequest or const
/// JobRequest.
template <class Request>
auto pictures_of(Request& request) {
  using Input = std::conditional_t<std::is_const_v<Request>, const PictureInput, PictureInput>;
  std::vector<std::pair<std::string, Input*>> pictures;
  for (std::size_t i = 0; i < request.controls.size(); ++i)
    pictures.emplace_back("/controls/" + std::to_string(i) + "/image", &request.controls[i].image);
  if (auto* transform = std::get_if<ImageTransform>(&request.operation)) {
    pictures.emplace_back("/input_image", &transform->input_image);
  } else if (auto* inpaint = std::get_if<ImageInpaint>(&request.operation)) {
    pictures.emplace_back("/init_image", &inpaint->init_image);
    pictures.emplace_back("/mask_image", &inpaint->mask_image);
  }
  return pictures;
}

}  // namespace waggle
