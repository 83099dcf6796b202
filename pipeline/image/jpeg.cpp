// JPEG by libjpeg-turbo. Errors come out of it by longjmp; every function that can be jumped over holds
// trivial locals only, and everything that owns memory lives in the caller's state object.
#include <cstddef>
#include <cstdio>
// jpeglib.h wants the two above before it.
#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jerror.h>
#include <jpeglib.h>

#include "pipeline/image/codecs.h"
#include "pipeline/image/exif.h"

namespace waggle::pipeline {
namespace {

constexpr int kQuality = 95;
constexpr int kMaxScans = 100;  // progressive pictures have about ten; each costs a pass over all pixels
constexpr int kMetadataMarker = JPEG_APP0 + 1;  // of EXIF and XMP; the data begins with which
constexpr std::string_view kExifPrefix{"Exif\0\0", 6}, kXmpPrefix{"http://ns.adobe.com/xap/1.0/\0", 29};
constexpr std::size_t kMaxSegment = 65'533;

struct ErrorManager {
  jpeg_error_mgr base;  // first: libjpeg hands back a pointer to it
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, errors->text);
  std::longjmp(errors->jump, 1);
}

// libjpeg fills up a truncated picture with grey and warns. Here that is an error; odd but complete files are
// not.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  ++info->err->num_warnings;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) info->err->error_exit(info);
}

void install(ErrorManager& errors, j_common_ptr info) {
  info->err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  errors.base.emit_message = on_message;
  errors.base.output_message = [](j_common_ptr) {};
  errors.text[0] = '\0';
}

// --- Reading ---

struct Reader {
  Reader() { install(errors, reinterpret_cast<j_common_ptr>(&info)); }
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  ErrorManager errors{};
  jpeg_decompress_struct info{};
  jpeg_progress_mgr progress{};
};

void stop_at_too_many_scans(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) {
    ERREXIT(info, JERR_BAD_PROGRESSION);
  }
}

bool read_header(Reader& reader, std::string_view bytes) {
  if (setjmp(reader.errors.jump) != 0) return false;
  jpeg_create_decompress(&reader.info);
  reader.progress.progress_monitor = stop_at_too_many_scans;
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&reader.info, kMetadataMarker, 0xFFFF);
  jpeg_read_header(&reader.info, TRUE);
  return true;
}

bool start(Reader& reader) {
  if (setjmp(reader.errors.jump) != 0) return false;
  jpeg_decompress_struct& info = reader.info;
  switch (info.jpeg_color_space) {
    case JCS_GRAYSCALE:
      info.out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      info.out_color_space = JCS_CMYK;
      break;
    default:
      info.out_color_space = JCS_RGB;
      break;
  }
  jpeg_start_decompress(&info);
  return true;
}

bool read_rows(Reader& reader, std::uint8_t* to, std::size_t stride) {
  if (setjmp(reader.errors.jump) != 0) return false;
  while (reader.info.output_scanline < reader.info.output_height) {
    JSAMPROW row = to + reader.info.output_scanline * stride;
    jpeg_read_scanlines(&reader.info, &row, 1);
  }
  jpeg_finish_decompress(&reader.info);
  return true;
}

Metadata metadata_of(const Reader& reader) {
  Metadata metadata;
  for (const jpeg_marker_struct* marker = reader.info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (marker->marker != kMetadataMarker) continue;
    if (metadata.exif.empty() && data.starts_with(kExifPrefix)) metadata.exif = exif::without_prefix(data);
    if (metadata.xmp.empty() && data.starts_with(kXmpPrefix)) metadata.xmp = data.substr(kXmpPrefix.size());
  }
  return metadata;
}

// Adobe's programs, the only ones that write CMYK, store it inverted and mark the file as theirs.
std::vector<std::uint8_t> to_rgb(const std::vector<std::uint8_t>& cmyk, bool inverted) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(cmyk.size() / 4 * 3);
  const unsigned flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i + 3 < cmyk.size(); i += 4) {
    const unsigned light = cmyk[i + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c) {
      rgb.push_back(static_cast<std::uint8_t>(((cmyk[i + c] ^ flip) * light + 127) / 255));
    }
  }
  return rgb;
}

// --- Writing ---

struct Writer {
  Writer() { install(errors, reinterpret_cast<j_common_ptr>(&info)); }
  ~Writer() {
    jpeg_destroy_compress(&info);
    std::free(bytes);  // jpeg_mem_dest's buffer is ours to free
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  ErrorManager errors{};
  jpeg_compress_struct info{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
};

// As pointers, since longjmp runs no destructors.
struct Segment {
  const unsigned char* data;
  unsigned size;
};

Segment segment(const std::string& bytes) {
  const bool fits = bytes.size() <= kMaxSegment;
  return {reinterpret_cast<const unsigned char*>(bytes.data()),
          fits ? static_cast<unsigned>(bytes.size()) : 0};
}

bool write_picture(Writer& writer, const Picture& picture, Segment exif, Segment xmp) {
  if (setjmp(writer.errors.jump) != 0) return false;
  jpeg_compress_struct& info = writer.info;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &writer.bytes, &writer.size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, kQuality, TRUE);
  info.optimize_coding = TRUE;
  for (int c = 0; c < info.num_components; ++c)
    info.comp_info[c].h_samp_factor = info.comp_info[c].v_samp_factor = 1;
  jpeg_start_compress(&info, TRUE);
  if (exif.size > 0) jpeg_write_marker(&info, kMetadataMarker, exif.data, exif.size);
  if (xmp.size > 0) jpeg_write_marker(&info, kMetadataMarker, xmp.data, xmp.size);
  const std::size_t stride = std::size_t(picture.width) * std::size_t(picture.channels);
  while (info.next_scanline < info.image_height) {
    // libjpeg reads rows through pointers to non-const.
    JSAMPROW row = const_cast<JSAMPROW>(picture.samples.data() + info.next_scanline * stride);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

Result<StoredPicture> decode_jpeg(std::string_view bytes) {
  Reader reader;
  if (!read_header(reader, bytes)) return broken_picture("JPEG", reader.errors.text);
  const jpeg_decompress_struct& info = reader.info;
  if (Status size = check_picture_size(info.image_width, info.image_height); !size)
    return std::move(size).error();
  // Huffman codes have at least a bit, and each block of 64 pixels at least one of them.
  const std::uint64_t blocks = std::uint64_t{info.image_width} * info.image_height / 64;
  if (info.arith_code == FALSE && blocks / 8 > bytes.size()) {
    return broken_picture("JPEG", "the file is too short for its size");
  }
  if (!start(reader)) return broken_picture("JPEG", reader.errors.text);
  StoredPicture out;
  Picture& picture = out.picture;
  picture.width = static_cast<int>(info.output_width);
  picture.height = static_cast<int>(info.output_height);
  picture.channels = info.output_components;
  const std::size_t stride =
      std::size_t{info.output_width} * static_cast<std::size_t>(info.output_components);
  picture.samples.resize(stride * info.output_height);
  out.exif = metadata_of(reader).exif;  // finishing frees the markers
  if (!read_rows(reader, picture.samples.data(), stride)) return broken_picture("JPEG", reader.errors.text);
  if (picture.channels == 4) {
    picture.samples = to_rgb(picture.samples, info.saw_Adobe_marker != 0);
    picture.channels = 3;
  }
  return out;
}

Result<Metadata> read_jpeg_metadata(std::string_view bytes) {
  Reader reader;
  if (!read_header(reader, bytes)) return broken_picture("JPEG", reader.errors.text);
  return metadata_of(reader);
}

std::string encode_jpeg(const Picture& picture, const Metadata& metadata) {
  if (picture.channels == 4) throw std::invalid_argument("a JPEG holds no alpha");
  const auto prefixed = [](std::string_view prefix, const std::string& bytes) {
    return bytes.empty() ? std::string() : std::string(prefix) + bytes;
  };
  const std::string exif = prefixed(kExifPrefix, metadata.exif), xmp = prefixed(kXmpPrefix, metadata.xmp);
  Writer writer;
  if (!write_picture(writer, picture, segment(exif), segment(xmp))) {
    throw std::runtime_error(std::string("the JPEG was not written: ") + writer.errors.text);
  }
  return {reinterpret_cast<const char*>(writer.bytes), writer.size};
}

}  // namespace waggle::pipeline
