// Files of kinds that Waggle reads but never writes, made with the codec libraries themselves. Any failure
// aborts: these are inputs, not tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/image/picture.h"

namespace waggle::pipeline::test {

struct PngKind {
  int color_type = 0;  ///< PNG_COLOR_TYPE_*
  int bit_depth = 8;
  bool interlaced = false;
  bool transparency = false;  ///< a tRNS chunk: palette entry 0, or the sample value 0, is transparent
};

/// Samples as they go into the file: one per element, `channels` per pixel, 0..2^bit_depth-1. A palette has
/// the entry (i, 255 - i, i / 2) at i.
std::string make_png(int width, int height, const PngKind& kind, const std::vector<std::uint16_t>& samples);

/// A tEXt, zTXt or iTXt chunk of a 1x1 PNG, by libpng's number for its compression.
std::string make_png_with_text(int compression, const std::string& key, const std::string& value);

/// Interleaved samples: 1 channel grey, 3 RGB, 4 CMYK as Adobe's programs store it (inverted).
std::string make_jpeg(const Picture& samples, bool progressive);
/// The same with this APP1 segment in it.
std::string make_jpeg_with_app1(const Picture& samples, std::string_view segment);

std::string make_lossless_webp(const Picture& picture);

/// A picture without two equal neighbours, smooth enough for JPEG.
Picture gradient(int width, int height, int channels);

/// The largest difference of two samples; 256 when the shapes differ.
int largest_difference(const Picture& a, const Picture& b);

}  // namespace waggle::pipeline::test
