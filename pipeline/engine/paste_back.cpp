// Masks and areas of inpainting jobs.
#include "pipeline/engine/paste_back.h"

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"

namespace waggle::pipeline {
namespace {

Picture at_size(Picture picture, int width, int height) {
  if (picture.width == width && picture.height == height) return picture;
  return resize(picture, width, height);
}

}  // namespace

std::optional<PasteBack> prepare_inpainting(const ImageInpaint& inpaint, RequestPictures& pictures, int width,
                                            int height) {
  const bool only_masked = inpaint.only_masked_padding.has_value();
  const double radius = inpaint.mask_blur.value_or(0.0);
  if (!only_masked && !inpaint.paste_back && radius <= 0) return std::nullopt;

  // Only what is around the mask: at the picture's own size. Otherwise everything is at the job's.
  Picture image = to_rgb(flatten(*pictures.image, 255));
  if (!only_masked) image = at_size(std::move(image), width, height);
  // Hard before it is blurred: half-grey edges would change pixels that the model was told to keep.
  Picture mask = black_and_white(at_size(to_grey(flatten(*pictures.mask, 0)), image.width, image.height));
  if (radius > 0) mask = blur(mask, radius);

  const Area whole{0, 0, image.width, image.height};
  const Area area = only_masked ? area_around(mask, *inpaint.only_masked_padding, width, height) : whole;
  pictures.image = crop(image, area);
  pictures.mask = crop(mask, area);
  if (!only_masked && !inpaint.paste_back) return std::nullopt;
  return PasteBack{std::move(image), std::move(mask), area};
}

}  // namespace waggle::pipeline
