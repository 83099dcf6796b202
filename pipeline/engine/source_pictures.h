// The pictures of a request, from encoded bytes to what the VAE takes: decoded, flattened, resized.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "pipeline/engine/image_start.h"
#include "pipeline/image/picture.h"
#include "schemas/operation.h"
#include "schemas/result.h"

namespace waggle::pipeline {

struct RequestPictures {
  std::optional<Picture> image, mask;
  std::vector<Picture> controls;                    ///< one per control of the request
  std::optional<std::pair<int, int>> natural_size;  ///< width and height of `image`
};

/// Decodes what the operation brings; nothing for text to image. **Errors**: invalid_request with the field's
/// path around the decoder's reason; a reference that nobody resolved is one too.
Result<RequestPictures> decode_pictures(const JobRequest& request);

/// **Shape**: RGB of any size -> [1, 3, height, width] fp32 in 0..1. Alpha is laid over white; Lanczos to the
/// size.
at::Tensor rgb_tensor(const Picture& picture, int width, int height);
/// The same in -1..1, as the VAE takes it.
at::Tensor image_tensor(const Picture& picture, int width, int height);
/// Grey value of the mask -> [1, 1, height, width] fp32 in 0..1. Alpha is laid over black: transparent is
/// kept.
at::Tensor mask_tensor(const Picture& picture, int width, int height);

/// Encodes the pictures of an operation at the size of the job.
SourcePictures make_source(const StableDiffusion& model, const Operation& operation,
                           const RequestPictures& pictures, int width, int height,
                           const VaeBounds& bounds = {});

}  // namespace waggle::pipeline
