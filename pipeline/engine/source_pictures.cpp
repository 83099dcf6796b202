// Decoding and preparing a request's pictures.
#include "pipeline/engine/source_pictures.h"

#include <cstring>

#include <ATen/Functions.h>

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

Result<Picture> decode_field(const PictureInput& input, const std::string& path) {
  if (input.is_reference()) return invalid_request({{path, "is a reference that was not resolved"}});
  auto picture = decode(std::get<0>(input.source));
  if (picture) return picture;
  Error error = std::move(picture).error();
  error.fields.push_back({path, error.message});
  return error;
}

/// **Shape**: -> [1, C, H, W] fp32 in 0..1.
at::Tensor to_tensor(const Picture& picture) {
  at::Tensor bytes = at::empty({picture.height, picture.width, picture.channels}, at::kByte);
  std::memcpy(bytes.data_ptr(), picture.samples.data(), picture.samples.size());
  return bytes.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 255.0;
}

}  // namespace

Result<RequestPictures> decode_pictures(const JobRequest& request) {
  RequestPictures pictures;
  for (std::size_t i = 0; i < request.controls.size(); ++i) {
    auto picture = decode_field(request.controls[i].image, "/controls/" + std::to_string(i) + "/image");
    if (!picture) return std::move(picture).error();
    pictures.controls.push_back(std::move(*picture));
  }
  const auto take = [&](const PictureInput& input, const char* path, std::optional<Picture>& into) -> Status {
    auto picture = decode_field(input, path);
    if (!picture) return std::move(picture).error();
    into = std::move(*picture);
    return Done{};
  };
  if (const auto* transform = std::get_if<ImageTransform>(&request.operation)) {
    if (auto s = take(transform->input_image, "/input_image", pictures.image); !s)
      return std::move(s).error();
  } else if (const auto* inpaint = std::get_if<ImageInpaint>(&request.operation)) {
    if (auto s = take(inpaint->init_image, "/init_image", pictures.image); !s) return std::move(s).error();
    if (auto s = take(inpaint->mask_image, "/mask_image", pictures.mask); !s) return std::move(s).error();
  }
  if (pictures.image) pictures.natural_size = {pictures.image->width, pictures.image->height};
  return pictures;
}

at::Tensor rgb_tensor(const Picture& picture, int width, int height) {
  Picture flat = to_rgb(flatten(picture, 255));
  if (flat.width != width || flat.height != height) flat = resize(flat, width, height);
  return to_tensor(flat);
}

at::Tensor image_tensor(const Picture& picture, int width, int height) {
  return rgb_tensor(picture, width, height) * 2 - 1;
}

at::Tensor mask_tensor(const Picture& picture, int width, int height) {
  Picture grey = to_grey(flatten(picture, 0));
  if (grey.width != width || grey.height != height) grey = resize(grey, width, height);
  return to_tensor(grey);
}

SourcePictures make_source(const StableDiffusion& model, const Operation& operation,
                           const RequestPictures& pictures, int width, int height, const VaeBounds& bounds) {
  if (const auto* transform = std::get_if<ImageTransform>(&operation))
    return image_to_image_source(model, image_tensor(*pictures.image, width, height), transform->strength,
                                 bounds);
  if (const auto* inpaint = std::get_if<ImageInpaint>(&operation))
    return inpaint_source(model, image_tensor(*pictures.image, width, height),
                          mask_tensor(*pictures.mask, width, height), inpaint->strength, bounds);
  return {};
}

}  // namespace waggle::pipeline
