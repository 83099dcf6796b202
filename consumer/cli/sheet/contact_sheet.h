// A contact sheet: pictures in rows, each with its words under it. Pango and Cairo are seen here alone; files
// and their texts are somebody else's business.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "pipeline/image/picture.h"

namespace waggle::cli {

struct SheetLayout {
  int columns = 0;      ///< 0: about as many as rows
  int tile = 256;       ///< pixels: the longer side of every picture on the sheet
  int lines = 4;        ///< of a caption; the rest ends in an ellipsis; 0: no captions
  std::string heading;  ///< over all, when not empty
};

/// Keeps the pictures at the size of the sheet only, so that thousands fit in memory.
class ContactSheet {
 public:
  static constexpr int kMinTile = 32, kMaxTile = 2048;
  static constexpr int kMaxColumns = 200;

  /// `layout` within the bounds above.
  explicit ContactSheet(SheetLayout layout);
  ~ContactSheet();
  ContactSheet(ContactSheet&&) noexcept;

  /// Scales the picture to the tile, up or down; transparency lies on white. The caption is UTF-8 in any
  /// language and direction; bytes that are not become replacement characters.
  void add(const pipeline::Picture& picture, std::string_view caption);

  /// How many pictures a sheet takes before it is larger than a picture may be
  /// (limits::kMaxPicturePixels), captions at their longest.
  [[nodiscard]] int most_pictures() const;

  /// RGB. Throws std::runtime_error when the sheet is too large to be drawn.
  [[nodiscard]] pipeline::Picture draw() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace waggle::cli
