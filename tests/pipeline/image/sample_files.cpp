// Sample files: see tests/pipeline/image/sample_files.h.
#include "tests/pipeline/image/sample_files.h"

#include <cstddef>
#include <cstdio>
// jpeglib.h wants the two above before it.
#include <algorithm>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

namespace waggle::pipeline::test {
namespace {

void append(png_structp png, png_bytep bytes, png_size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
}

// Packs one row, most significant bits first, as PNG stores samples of any depth.
std::vector<png_byte> packed(const std::uint16_t* samples, std::size_t count, int depth) {
  std::vector<png_byte> row;
  unsigned bits = 0;
  int held = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bits = bits << depth | samples[i];
    for (held += depth; held >= 8; held -= 8) row.push_back(static_cast<png_byte>(bits >> (held - 8)));
  }
  if (held > 0) row.push_back(static_cast<png_byte>(bits << (8 - held)));
  return row;
}

}  // namespace

std::string make_png(int width, int height, const PngKind& kind, const std::vector<std::uint16_t>& samples) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, append, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), kind.bit_depth,
               kind.color_type, kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind.color_type == PNG_COLOR_TYPE_PALETTE) {
    std::vector<png_color> palette;
    for (int i = 0; i < 1 << kind.bit_depth; ++i) {
      palette.push_back(
          {static_cast<png_byte>(i), static_cast<png_byte>(255 - i), static_cast<png_byte>(i / 2)});
    }
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (kind.transparency) {
    png_byte alpha = 0;
    png_color_16 value{};
    png_set_tRNS(png, info, &alpha, 1, &value);
  }
  png_write_info(png, info);
  const std::size_t per_row = samples.size() / static_cast<std::size_t>(height);
  std::vector<std::vector<png_byte>> rows;
  std::vector<png_bytep> pointers;
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    rows.push_back(packed(samples.data() + y * per_row, per_row, kind.bit_depth));
  }
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::string make_png_with_text(int compression, const std::string& key, const std::string& value) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, append, [](png_structp) {});
  png_set_IHDR(png, info, 1, 1, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  png_byte pixel = 0;
  png_write_row(png, &pixel);
  std::string key_bytes = key, value_bytes = value;
  png_text text{};
  text.compression = compression;
  text.key = key_bytes.data();
  text.text = value_bytes.data();
  (compression >= PNG_ITXT_COMPRESSION_NONE ? text.itxt_length : text.text_length) = value.size();
  png_set_text(png, info, &text, 1);
  png_write_end(png, info);  // behind the pixels, where some programs put it
  png_destroy_write_struct(&png, &info);
  return out;
}

namespace {

std::string make_jpeg(const Picture& samples, bool progressive, std::string_view app1) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(samples.width);
  info.image_height = static_cast<JDIMENSION>(samples.height);
  info.input_components = samples.channels;
  info.in_color_space = samples.channels == 1 ? JCS_GRAYSCALE : samples.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  for (int c = 0; c < info.num_components; ++c)
    info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (!app1.empty()) {
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(app1.data()),
                      static_cast<unsigned>(app1.size()));
  }
  const std::size_t stride =
      static_cast<std::size_t>(samples.width) * static_cast<std::size_t>(samples.channels);
  std::vector<std::uint8_t> row(stride);
  while (info.next_scanline < info.image_height) {
    std::copy_n(samples.samples.data() + info.next_scanline * stride, stride, row.data());
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return out;
}

}  // namespace

std::string make_jpeg(const Picture& samples, bool progressive) {
  return make_jpeg(samples, progressive, {});
}

std::string make_jpeg_with_app1(const Picture& samples, std::string_view segment) {
  return make_jpeg(samples, false, segment);
}

std::string make_lossless_webp(const Picture& picture) {
  std::uint8_t* bytes = nullptr;
  const auto encode = picture.channels == 4 ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB;
  const std::size_t size =
      encode(picture.samples.data(), picture.width, picture.height, picture.width * picture.channels, &bytes);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  WebPFree(bytes);
  return out;
}

Picture gradient(int width, int height, int channels) {
  Picture out{.width = width, .height = height, .channels = channels, .samples = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const int value = c == 0 ? 40 + x * 3 : c == 1 ? 200 - y * 3 : c == 2 ? 30 + x + 2 * y : 255 - x - y;
        out.samples.push_back(static_cast<std::uint8_t>(std::clamp(value, 0, 255)));
      }
    }
  }
  return out;
}

int largest_difference(const Picture& a, const Picture& b) {
  const bool same_shape = a.width == b.width && a.height == b.height && a.channels == b.channels &&
                          a.samples.size() == b.samples.size();
  if (!same_shape) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
}

}  // namespace waggle::pipeline::test
