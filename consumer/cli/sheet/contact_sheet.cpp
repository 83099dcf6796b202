// Text is measured first, since a row is as high as its longest caption; then all is drawn onto one surface.
#include "consumer/cli/sheet/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

#include <pango/pangocairo.h>

#include "pipeline/image/pixels.h"
#include "pipeline/image/resize.h"
#include "schemas/limits.h"

namespace waggle::cli {

namespace {

// Pixels.
constexpr int kMargin = 20, kGap = 14, kCaptionGap = 5, kFontSize = 13, kHeadingSize = 18;
constexpr int kLineHeight = 20;      ///< at most, of a caption in kFontSize
constexpr int kMaxSurface = 32'000;  ///< a side; Cairo's own limit is 32767

struct Unref {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct Tile {
  pipeline::Picture picture;  ///< RGB, no side longer than the tile
  std::string caption;
};

Owned<cairo_surface_t> new_surface(int width, int height) {
  Owned<cairo_surface_t> surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  if (const auto status = cairo_surface_status(surface.get()); status != CAIRO_STATUS_SUCCESS)
    throw std::runtime_error(std::string("the sheet cannot be drawn: ") + cairo_status_to_string(status));
  return surface;
}

std::string valid_utf8(std::string_view text) {
  char* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string copy(valid);
  g_free(valid);
  return copy;
}

Owned<PangoLayout> text_layout(cairo_t* context, const std::string& text, int size, int width, int lines) {
  Owned<PangoLayout> layout(pango_cairo_create_layout(context));
  const Owned<PangoFontDescription> font(pango_font_description_new());
  pango_font_description_set_family(font.get(), "sans-serif");
  pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_width(layout.get(), width * PANGO_SCALE);
  pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  pango_layout_set_height(layout.get(), -lines);  // negative: lines of the paragraph
  pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
  return layout;
}

int height_of(PangoLayout* layout) {
  int height = 0;
  pango_layout_get_pixel_size(layout, nullptr, &height);
  return height;
}

void blit(cairo_surface_t* surface, const pipeline::Picture& picture, int left, int top) {
  cairo_surface_flush(surface);
  unsigned char* rows = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  const std::uint8_t* sample = picture.samples.data();
  for (int y = 0; y < picture.height; ++y) {
    auto* pixel = reinterpret_cast<std::uint32_t*>(rows + std::ptrdiff_t{stride} * (top + y)) + left;
    for (int x = 0; x < picture.width; ++x, sample += 3)
      *pixel++ = std::uint32_t{sample[0]} << 16 | std::uint32_t{sample[1]} << 8 | sample[2];
  }
  cairo_surface_mark_dirty(surface);
}

pipeline::Picture to_picture(cairo_surface_t* surface) {
  cairo_surface_flush(surface);
  pipeline::Picture picture;
  picture.width = cairo_image_surface_get_width(surface);
  picture.height = cairo_image_surface_get_height(surface);
  picture.samples.reserve(std::size_t{3} * picture.width * picture.height);
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; y < picture.height; ++y) {
    const auto* pixel = reinterpret_cast<const std::uint32_t*>(cairo_image_surface_get_data(surface) +
                                                               std::ptrdiff_t{stride} * y);
    for (int x = 0; x < picture.width; ++x, ++pixel) {
      for (const int shift : {16, 8, 0})
        picture.samples.push_back(static_cast<std::uint8_t>(*pixel >> shift));
    }
  }
  return picture;
}

}  // namespace

struct ContactSheet::Impl {
  struct Row {
    int top = 0, pictures = 0;  ///< where it begins, and how high its pictures are
  };
  struct Plan {
    int columns = 1, width = 0, height = 0;
    std::vector<Row> rows;
  };

  [[nodiscard]] Owned<PangoLayout> heading(cairo_t* context, int width) const {
    return text_layout(context, valid_utf8(layout.heading), kHeadingSize, width - 2 * kMargin, 2);
  }
  [[nodiscard]] Owned<PangoLayout> caption(cairo_t* context, const Tile& tile) const {
    return text_layout(context, tile.caption, kFontSize, layout.tile, layout.lines);
  }
  [[nodiscard]] bool has_words(const Tile& tile) const { return layout.lines > 0 && !tile.caption.empty(); }
  [[nodiscard]] Plan plan() const;
  void paint(cairo_t* context, cairo_surface_t* surface, const Plan& plan) const;

  SheetLayout layout;
  std::vector<Tile> tiles;
};

ContactSheet::Impl::Plan ContactSheet::Impl::plan() const {
  const auto square = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(tiles.size()))));
  const std::size_t wanted = layout.columns > 0 ? static_cast<std::size_t>(layout.columns) : square;
  const std::size_t columns = std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(tiles.size(), 1));
  Plan plan;
  plan.columns = static_cast<int>(columns);
  plan.width = 2 * kMargin + plan.columns * layout.tile + (plan.columns - 1) * kGap;
  plan.height = kMargin;
  // Text is measured against a surface of its own: the sheet's height is not known before.
  const auto probe = new_surface(1, 1);
  const Owned<cairo_t> ruler(cairo_create(probe.get()));
  if (!layout.heading.empty()) plan.height += height_of(heading(ruler.get(), plan.width).get()) + kGap;
  for (std::size_t first = 0; first < tiles.size(); first += columns) {
    int pictures = 0, words = 0;
    for (std::size_t i = first; i < std::min(tiles.size(), first + columns); ++i) {
      pictures = std::max(pictures, tiles[i].picture.height);
      if (has_words(tiles[i]))
        words = std::max(words, height_of(caption(ruler.get(), tiles[i]).get()) + kCaptionGap);
    }
    plan.rows.push_back({plan.height, pictures});
    plan.height += pictures + words + kGap;
  }
  plan.height += kMargin - (tiles.empty() ? 0 : kGap);
  return plan;
}

void ContactSheet::Impl::paint(cairo_t* context, cairo_surface_t* surface, const Plan& plan) const {
  cairo_set_source_rgb(context, 1, 1, 1);
  cairo_paint(context);
  cairo_set_source_rgb(context, 0.13, 0.13, 0.13);
  if (!layout.heading.empty()) {
    cairo_move_to(context, kMargin, kMargin);
    pango_cairo_show_layout(context, heading(context, plan.width).get());
  }
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Tile& tile = tiles[i];
    const auto [row, column] = std::div(static_cast<int>(i), plan.columns);
    const auto [top, pictures] = plan.rows[static_cast<std::size_t>(row)];
    const int left = kMargin + column * (layout.tile + kGap);
    blit(surface, tile.picture, left + (layout.tile - tile.picture.width) / 2,
         top + (pictures - tile.picture.height) / 2);
    if (!has_words(tile)) continue;
    cairo_move_to(context, left, top + pictures + kCaptionGap);
    pango_cairo_show_layout(context, caption(context, tile).get());
  }
}

ContactSheet::ContactSheet(SheetLayout layout) : impl_(std::make_unique<Impl>(Impl{std::move(layout), {}})) {}
ContactSheet::~ContactSheet() = default;
ContactSheet::ContactSheet(ContactSheet&&) noexcept = default;

void ContactSheet::add(const pipeline::Picture& picture, std::string_view caption) {
  const double scale = static_cast<double>(impl_->layout.tile) / std::max(picture.width, picture.height);
  const auto scaled = [scale](int side) { return std::max(1, static_cast<int>(std::lround(side * scale))); };
  pipeline::Picture plain = pipeline::to_rgb(pipeline::flatten(picture, 255));
  if (scale != 1.0) plain = pipeline::resize(plain, scaled(picture.width), scaled(picture.height));
  impl_->tiles.push_back({std::move(plain), valid_utf8(caption)});
}

int ContactSheet::most_pictures() const {
  const auto& layout = impl_->layout;
  const std::int64_t width = layout.tile + kGap;
  const std::int64_t height = layout.tile + kGap + kCaptionGap + std::int64_t{layout.lines} * kLineHeight;
  const std::int64_t by_area = limits::kMaxPicturePixels / 2 / (width * height);
  const std::int64_t rows = (kMaxSurface - 4 * kMargin) / height;
  const std::int64_t columns = layout.columns > 0 ? layout.columns : (kMaxSurface - 2 * kMargin) / width;
  return static_cast<int>(std::max<std::int64_t>(1, std::min(by_area, rows * columns)));
}

pipeline::Picture ContactSheet::draw() const {
  const Impl::Plan plan = impl_->plan();
  if (plan.width > kMaxSurface || plan.height > kMaxSurface)
    throw std::runtime_error("a sheet of " + std::to_string(plan.width) + "x" + std::to_string(plan.height) +
                             " pixels is too large; take fewer pictures or smaller tiles");
  const auto surface = new_surface(plan.width, plan.height);
  const Owned<cairo_t> context(cairo_create(surface.get()));
  impl_->paint(context.get(), surface.get(), plan);
  return to_picture(surface.get());
}

}  // namespace waggle::cli
