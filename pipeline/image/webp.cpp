// WebP by libwebp, its metadata by libwebpmux. Animations are refused: a job wants one picture.
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <webp/decode.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "pipeline/image/codecs.h"
#include "pipeline/image/exif.h"

namespace waggle::pipeline {
namespace {

constexpr float kQuality = 95;

const std::uint8_t* data(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

struct FreeWebP {
  void operator()(void* memory) const { WebPFree(memory); }
};
struct DeleteMux {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};
using Mux = std::unique_ptr<WebPMux, DeleteMux>;

// The container says how long it is; a file that is shorter was cut, even if its pixels are all there.
Status check_length(std::string_view bytes) {
  std::uint64_t claimed = 0;
  for (int i = 7; i >= 4; --i) claimed = claimed << 8 | data(bytes)[i];
  if (claimed + 8 > bytes.size()) return broken_picture("WebP", "the file ends too early");
  return Done{};
}

Metadata metadata_of(std::string_view bytes) {
  const WebPData file{data(bytes), bytes.size()};
  const Mux mux(WebPMuxCreate(&file, /*copy_data=*/0));
  const auto chunk = [&](const char* name) {
    WebPData found{};
    if (!mux || WebPMuxGetChunk(mux.get(), name, &found) != WEBP_MUX_OK) return std::string();
    return std::string(exif::without_prefix({reinterpret_cast<const char*>(found.bytes), found.size}));
  };
  return {chunk("EXIF"), chunk("XMP ")};
}

std::string with_metadata(std::string_view picture, const Metadata& metadata) {
  const Mux mux(WebPMuxNew());
  if (!mux) throw std::bad_alloc();
  const WebPData image{data(picture), picture.size()};
  const auto set = [&](const char* name, std::string_view bytes) {
    const WebPData chunk{data(bytes), bytes.size()};
    return bytes.empty() || WebPMuxSetChunk(mux.get(), name, &chunk, /*copy_data=*/0) == WEBP_MUX_OK;
  };
  WebPData file{};
  const bool good = WebPMuxSetImage(mux.get(), &image, /*copy_data=*/0) == WEBP_MUX_OK &&
                    set("EXIF", metadata.exif) && set("XMP ", metadata.xmp) &&
                    WebPMuxAssemble(mux.get(), &file) == WEBP_MUX_OK;
  const std::unique_ptr<void, FreeWebP> owner(const_cast<std::uint8_t*>(file.bytes));
  if (!good) throw std::runtime_error("the WebP's parameters could not be added");
  return {reinterpret_cast<const char*>(file.bytes), file.size};
}

}  // namespace

Result<StoredPicture> decode_webp(std::string_view bytes) {
  if (Status length = check_length(bytes); !length) return std::move(length).error();
  WebPBitstreamFeatures features{};
  if (WebPGetFeatures(data(bytes), bytes.size(), &features) != VP8_STATUS_OK) {
    return broken_picture("WebP", "its header makes no sense");
  }
  if (features.has_animation != 0) {
    return Error{.code = ErrorCode::unsupported_media, .message = "the WebP is an animation"};
  }
  const auto width = static_cast<std::uint64_t>(features.width),
             height = static_cast<std::uint64_t>(features.height);
  if (Status size = check_picture_size(width, height); !size) return std::move(size).error();
  StoredPicture out;
  Picture& picture = out.picture;
  picture.width = features.width;
  picture.height = features.height;
  picture.channels = features.has_alpha != 0 ? 4 : 3;
  const int stride = picture.width * picture.channels;
  picture.samples.resize(static_cast<std::size_t>(stride) * height);
  const auto decode_into = picture.channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode_into(data(bytes), bytes.size(), picture.samples.data(), picture.samples.size(), stride) ==
      nullptr) {
    return broken_picture("WebP", "its pixels could not be decoded");
  }
  out.exif = metadata_of(bytes).exif;
  return out;
}

Result<Metadata> read_webp_metadata(std::string_view bytes) {
  if (Status length = check_length(bytes); !length) return std::move(length).error();
  return metadata_of(bytes);
}

std::string encode_webp(const Picture& picture, const Metadata& metadata) {
  if (picture.width > WEBP_MAX_DIMENSION || picture.height > WEBP_MAX_DIMENSION) {
    throw std::invalid_argument("a WebP has at most 16383 pixels a side");
  }
  Picture rgb;  // libwebp takes no grey
  if (picture.channels == 1) {
    rgb = {.width = picture.width, .height = picture.height, .channels = 3, .samples = {}};
    for (const std::uint8_t grey : picture.samples) rgb.samples.insert(rgb.samples.end(), 3, grey);
  }
  const Picture& source = picture.channels == 1 ? rgb : picture;
  const auto encode = source.channels == 4 ? WebPEncodeRGBA : WebPEncodeRGB;
  std::uint8_t* bytes = nullptr;
  const std::size_t size = encode(source.samples.data(), source.width, source.height,
                                  source.width * source.channels, kQuality, &bytes);
  const std::unique_ptr<std::uint8_t, FreeWebP> owner(bytes);
  if (size == 0) throw std::runtime_error("the WebP was not written");
  const std::string_view encoded(reinterpret_cast<const char*>(bytes), size);
  const bool bare = metadata.exif.empty() && metadata.xmp.empty();
  return bare ? std::string(encoded) : with_metadata(encoded, metadata);
}

}  // namespace waggle::pipeline
