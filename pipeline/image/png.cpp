// PNG by libpng. Errors come out of libpng by longjmp; every function that can be jumped over holds trivial
// locals only, and everything that owns memory lives in the caller's state object.
#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <png.h>
#include <zlib.h>

#include "pipeline/image/codecs.h"
#include "pipeline/text/unicode.h"

namespace waggle::pipeline {
namespace {

constexpr png_uint_32 kMaxPngSide = 1u << 30;  // ours is tighter and says so better; libpng's needs a value
constexpr png_alloc_size_t kMaxChunkBytes = 2u << 20;  // one chunk, unpacked: texts and profiles
constexpr png_uint_32 kMaxChunks = 64;                 // texts and other chunks that are kept
constexpr std::uint64_t kMostInflation = 1032;         // deflate cannot pack tighter
constexpr int kCompressionLevel = 6;

struct ErrorText {
  char text[128] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* error = static_cast<ErrorText*>(png_get_error_ptr(png));
  std::snprintf(error->text, sizeof error->text, "%s", message);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

// --- Reading ---

struct Reader {
  explicit Reader(std::string_view file) : bytes(file) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &error, on_error, on_warning);
    info = png == nullptr ? nullptr : png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::string_view bytes;
  ErrorText error;
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  std::uint64_t stored_bytes = 0;  // of all pixels, unpacked but not yet transformed
  int channels = 0;
  std::vector<png_bytep> rows;
};

void read_bytes(png_structp png, png_bytep to, png_size_t size) {
  auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
  if (size > reader->bytes.size()) png_error(png, "the file ends too early");
  std::memcpy(to, reader->bytes.data(), size);
  reader->bytes.remove_prefix(size);
}

// Up to the pixels. False: reader.error says why.
bool read_header(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, &reader, read_bytes);
  png_set_user_limits(reader.png, kMaxPngSide, kMaxPngSide);
  png_set_chunk_malloc_max(reader.png, kMaxChunkBytes);
  png_set_chunk_cache_max(reader.png, kMaxChunks);
  png_read_info(reader.png, reader.info);
  reader.width = png_get_image_width(reader.png, reader.info);
  reader.height = png_get_image_height(reader.png, reader.info);
  reader.stored_bytes = std::uint64_t{png_get_rowbytes(reader.png, reader.info)} * reader.height;
  return true;
}

// Asks for 8-bit grey, RGB or RGBA.
bool set_transformations(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_structp png = reader.png;
  png_set_expand(png);
  png_set_scale_16(png);
  const bool alpha = (png_get_color_type(png, reader.info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                     png_get_valid(png, reader.info, PNG_INFO_tRNS) != 0;
  if (alpha) png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, reader.info);
  reader.channels = png_get_channels(png, reader.info);
  return png_get_bit_depth(png, reader.info) == 8;
}

bool read_pixels(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_image(reader.png, reader.rows.data());
  return true;
}

// For texts alone: unpacks the pixels, for libpng passes over them in no other way, and keeps none.
bool skip_pixels(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  const int passes = png_set_interlace_handling(reader.png);
  png_start_read_image(reader.png);
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < reader.height; ++y) png_read_row(reader.png, nullptr, nullptr);
  }
  return true;
}

// What follows the pixels.
bool read_end(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_end(reader.png, reader.info);
  return true;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) unicode::append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

// --- Writing ---

struct Writer {
  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &error, on_error, on_warning);
    info = png == nullptr ? nullptr : png_create_info_struct(png);
    if (info == nullptr) {
      png_destroy_write_struct(&png, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  std::string out;
  ErrorText error;
  png_structp png = nullptr;
  png_infop info = nullptr;
  const Picture* picture = nullptr;
  std::vector<png_text> texts;
  std::vector<png_bytep> rows;
};

bool append(std::string& out, png_const_bytep bytes, png_size_t size) noexcept {
  try {
    out.append(reinterpret_cast<const char*>(bytes), size);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void write_bytes(png_structp png, png_bytep bytes, png_size_t size) {
  if (!append(static_cast<Writer*>(png_get_io_ptr(png))->out, bytes, size)) png_error(png, "out of memory");
}
void flush_nothing(png_structp) {}

bool write_picture(Writer& writer) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  const Picture& picture = *writer.picture;
  const int color = picture.channels == 1   ? PNG_COLOR_TYPE_GRAY
                    : picture.channels == 3 ? PNG_COLOR_TYPE_RGB
                                            : PNG_COLOR_TYPE_RGBA;
  png_set_write_fn(writer.png, &writer, write_bytes, flush_nothing);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(picture.width),
               static_cast<png_uint_32>(picture.height), 8, color, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(writer.png, kCompressionLevel);
  // libpng would choose the strategy for filtered data: an eighth smaller on rendered pictures, and half as
  // fast.
  png_set_compression_strategy(writer.png, Z_DEFAULT_STRATEGY);
  png_set_filter(writer.png, PNG_FILTER_TYPE_BASE, PNG_FAST_FILTERS);
  if (!writer.texts.empty()) {
    png_set_text(writer.png, writer.info, writer.texts.data(), static_cast<int>(writer.texts.size()));
  }
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, writer.rows.data());
  png_write_end(writer.png, nullptr);
  return true;
}

// Latin-1 bytes of a text, or nothing when it has other characters.
std::optional<std::string> to_latin1(std::string_view utf8) {
  std::string out;
  for (const char32_t c : unicode::from_utf8(utf8)) {
    if (c == 0 || c > 0xFF) return std::nullopt;
    out.push_back(static_cast<char>(static_cast<unsigned char>(c)));
  }
  return out;
}

// Text in the form that its characters need. `storage` keeps the bytes alive.
png_text to_png_text(const std::string& key, const std::string& value, std::vector<std::string>& storage) {
  if (key.empty() || key.size() > 79) throw std::invalid_argument("a PNG text key has 1 to 79 characters");
  const auto latin1 = to_latin1(value);
  storage.push_back(key);
  char* key_bytes = storage.back().data();
  storage.push_back(latin1 ? *latin1 : value);
  std::string& bytes = storage.back();
  std::erase(bytes, '\0');
  png_text text{};
  text.compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  text.key = key_bytes;
  text.text = bytes.data();
  (latin1 ? text.text_length : text.itxt_length) = bytes.size();
  return text;
}

// Whether all chunks up to the last are there. libpng allocates what a chunk claims before it looks for its
// bytes.
bool has_all_chunks(std::string_view bytes) {
  constexpr std::size_t kSignature = 8, kFrame = 12;  // length, type and checksum around each chunk's data
  bytes.remove_prefix(std::min(kSignature, bytes.size()));
  while (bytes.size() >= kFrame) {
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i)
      length = length << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    if (length > bytes.size() - kFrame) return false;
    if (bytes.substr(4, 4) == "IEND") return true;
    bytes.remove_prefix(length + kFrame);
  }
  return false;
}

// Chunks that hold text, whether libpng could read it or passed over it with a warning.
int count_texts(std::string_view bytes) {
  int count = 0;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "tEXt" || type == "zTXt" || type == "iTXt") ++count;
    if (type == "IEND") break;
    at += length + 12;
  }
  return count;
}

Status read_checked_header(Reader& reader) {
  if (!has_all_chunks(reader.bytes)) return broken_picture("PNG", "the file ends too early");
  const std::size_t file_size = reader.bytes.size();
  if (!read_header(reader)) return broken_picture("PNG", reader.error.text);
  if (Status size = check_picture_size(reader.width, reader.height); !size) return size;
  if (reader.stored_bytes > kMostInflation * file_size)
    return broken_picture("PNG", "the file is too short for its size");
  return Done{};
}

}  // namespace

Result<StoredPicture> decode_png(std::string_view bytes) {
  Reader reader(bytes);
  if (Status header = read_checked_header(reader); !header) return std::move(header).error();
  if (!set_transformations(reader)) return broken_picture("PNG", reader.error.text);
  StoredPicture out;
  Picture& picture = out.picture;
  picture.width = static_cast<int>(reader.width);
  picture.height = static_cast<int>(reader.height);
  picture.channels = reader.channels;
  const std::size_t stride = std::size_t{reader.width} * static_cast<std::size_t>(reader.channels);
  picture.samples.resize(stride * reader.height);
  for (std::size_t y = 0; y < reader.height; ++y) reader.rows.push_back(picture.samples.data() + y * stride);
  if (!read_pixels(reader) || !read_end(reader)) return broken_picture("PNG", reader.error.text);
  png_bytep exif = nullptr;
  png_uint_32 exif_size = 0;
  if (png_get_eXIf_1(reader.png, reader.info, &exif_size, &exif) != 0 && exif != nullptr) {
    out.exif.assign(reinterpret_cast<const char*>(exif), exif_size);
  }
  return out;
}

Result<TextFields> read_png_text(std::string_view bytes) {
  Reader reader(bytes);
  if (Status header = read_checked_header(reader); !header) return std::move(header).error();
  if (!skip_pixels(reader) || !read_end(reader)) return broken_picture("PNG", reader.error.text);
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(reader.png, reader.info, &texts, &count);
  if (count < count_texts(bytes)) {
    return broken_picture("PNG",
                          "a text in it is damaged, or one of too many, or unpacks to more than 2 MiB");
  }
  TextFields fields;
  for (int i = 0; i < count; ++i) {
    const png_text& text = texts[i];
    const bool utf8 = text.compression >= PNG_ITXT_COMPRESSION_NONE;
    const std::string_view value(text.text, utf8 ? text.itxt_length : text.text_length);
    fields.emplace_back(latin1_to_utf8(text.key),
                        utf8 ? unicode::to_utf8(unicode::from_utf8(value)) : latin1_to_utf8(value));
  }
  return fields;
}

std::string encode_png(const Picture& picture, const TextFields& text) {
  Writer writer;
  writer.picture = &picture;
  std::vector<std::string> storage;
  storage.reserve(2 * text.size());  // pointers into it must stay
  for (const auto& [key, value] : text) writer.texts.push_back(to_png_text(key, value, storage));
  const auto stride = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  for (int y = 0; y < picture.height; ++y) {
    // libpng reads rows through pointers to non-const.
    writer.rows.push_back(
        const_cast<png_bytep>(picture.samples.data() + static_cast<std::size_t>(y) * stride));
  }
  if (!write_picture(writer))
    throw std::runtime_error(std::string("the PNG was not written: ") + writer.error.text);
  return std::move(writer.out);
}

}  // namespace waggle::pipeline
