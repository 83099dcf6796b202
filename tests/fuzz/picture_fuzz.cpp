// Fuzz entry of input pictures: whatever the bytes claim to be is decoded, turned and read for its text. What
// decodes must have as many samples as it says and must encode again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pipeline/image/picture.h"
#include "pipeline/image/pixels.h"
#include "schemas/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(pipeline::read_text(bytes));
  const auto picture = pipeline::decode(bytes);
  if (!picture) return 0;
  const std::int64_t pixels = std::int64_t{picture->width} * picture->height;
  if (picture->width < 1 || picture->height < 1 || pixels > limits::kMaxPicturePixels ||
      picture->samples.size() != static_cast<std::size_t>(pixels * picture->channels))
    std::abort();
  constexpr std::int64_t kSmall = 4096;
  if (pixels > kSmall) return 0;
  const auto flat = pipeline::to_rgb(pipeline::flatten(*picture, 255));
  if (!pipeline::decode(pipeline::encode(flat, OutputFormat::png))) std::abort();
  return 0;
}
