// Decoding and preparing a request's pictures.
#include "pipeline/engine/source_pictures.h"

#include <cstring>

#include <ATen/Functions.h>

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"
#include "schemas/validate.h"

namespace waggle::pipeline {
namespace {

Result<Picture> decode_field(const PictureInput& input, const char* path) {
  if (input.is_reference()) return invalid_request({{path, "is a reference that was not resolved"}});
  auto picture = decode(std::get<0>(input.source));
  if (picture) return picture;
  Error error = std::move(picture).error();
  error.fields.push_back({path, error.message});
  return error;
}

/// Lays alpha over a plain background; leaves grey or RGB.
Picture flatten(const Picture& picture, int background) {
  if (picture.channels != 4) return picture;
  Picture flat{picture.width, picture.height, 3, {}};
  const std::size_t pixels =
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
  flat.samples.resize(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i) {
    const int alpha = picture.samples[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c)
      flat.samples[3 * i + c] = static_cast<std::uint8_t>(
          (picture.samples[4 * i + c] * alpha + background * (255 - alpha) + 127) / 255);
  }
  return flat;
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

at::Tensor image_tensor(const Picture& picture, int width, int height) {
  Picture flat = to_rgb(flatten(picture, 255));
  if (flat.width != width || flat.height != height) flat = resize(flat, width, height);
  return to_tensor(flat) * 2 - 1;
}

at::Tensor mask_tensor(const Picture& picture, int width, int height) {
  Picture grey = to_grey(flatten(picture, 0));
  if (grey.width != width || grey.height != height) grey = resize(grey, width, height);
  return to_tensor(grey);
}

SourcePictures make_source(const StableDiffusion& model, const Operation& operation,
                           const RequestPictures& pictures, int width, int height) {
  if (const auto* transform = std::get_if<ImageTransform>(&operation))
    return image_to_image_source(model, image_tensor(*pictures.image, width, height), transform->strength);
  if (const auto* inpaint = std::get_if<ImageInpaint>(&operation))
    return inpaint_source(model, image_tensor(*pictures.image, width, height),
                          mask_tensor(*pictures.mask, width, height), inpaint->strength);
  return {};
}

}  // namespace waggle::pipeline
