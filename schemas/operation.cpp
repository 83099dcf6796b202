// Names of operations, upscalers and picture formats, as they stand on the wire.
#include "schemas/operation.h"

namespace waggle {

std::string_view name(OutputFormat format) noexcept {
  switch (format) {
    case OutputFormat::png:
      return "png";
    case OutputFormat::jpeg:
      return "jpeg";
    case OutputFormat::webp:
      return "webp";
  }
  return "png";
}

std::string_view media_type(OutputFormat format) noexcept {
  switch (format) {
    case OutputFormat::png:
      return "image/png";
    case OutputFormat::jpeg:
      return "image/jpeg";
    case OutputFormat::webp:
      return "image/webp";
  }
  return "image/png";
}

std::optional<OutputFormat> output_format_from_name(std::string_view text) noexcept {
  for (const OutputFormat format : {OutputFormat::png, OutputFormat::jpeg, OutputFormat::webp}) {
    if (name(format) == text) return format;
  }
  return std::nullopt;
}

std::string_view name(Upscaler upscaler) noexcept {
  switch (upscaler) {
    case Upscaler::latent:
      return "latent";
    case Upscaler::latent_bicubic:
      return "latent-bicubic";
    case Upscaler::latent_nearest:
      return "latent-nearest";
    case Upscaler::lanczos:
      return "lanczos";
    case Upscaler::nearest:
      return "nearest";
  }
  return "latent";
}

std::optional<Upscaler> upscaler_from_name(std::string_view text) noexcept {
  for (const Upscaler upscaler : {Upscaler::latent, Upscaler::latent_bicubic, Upscaler::latent_nearest,
                                  Upscaler::lanczos, Upscaler::nearest}) {
    if (name(upscaler) == text) return upscaler;
  }
  return std::nullopt;
}

bool enlarges_latents(Upscaler upscaler) noexcept {
  return upscaler != Upscaler::lanczos && upscaler != Upscaler::nearest;
}

std::string_view name(const Operation& operation) noexcept {
  struct Name {
    std::string_view operator()(const ImageGeneration&) const { return "image_generation"; }
    std::string_view operator()(const ImageTransform&) const { return "image_transform"; }
    std::string_view operator()(const ImageInpaint&) const { return "image_inpaint"; }
  };
  return std::visit(Name{}, operation);
}

}  // namespace waggle
