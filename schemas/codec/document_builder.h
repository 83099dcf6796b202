// Builds a document from a parser's events and enforces the limits that hold in every notation: depth, number
// of elements, unique keys. Both parsers drive it, so a bomb in one notation is a bomb in the other.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "schemas/codec/document.h"
#include "schemas/result.h"

namespace waggle::codec {

/// Every call answers whether parsing may go on; after false, `error()` says why. Memory grows with what has
/// arrived, never with what a length prefix claims.
class DocumentBuilder {
 public:
  bool scalar(Document value);
  /// `claimed` is the number of members announced, 0 when the notation does not say.
  bool begin_array(std::size_t claimed);
  bool begin_object(std::size_t claimed);
  bool key(std::string name);
  bool end();

  /// Refuses the input for a reason of the notation; the first reason stands.
  bool fail(ErrorCode code, std::string message);

  /// The finished document, or why there is none.
  Result<Document> take() &&;

 private:
  struct Frame {
    Document container;  ///< Array or Object
    std::string key;     ///< of the member that comes next
  };
  bool open(Document container, std::size_t claimed);
  bool count(std::size_t more);
  bool add(Document value);

  std::vector<Frame> frames_;
  std::size_t elements_ = 0;
  Document root_;
  bool complete_ = false;
  std::optional<Error> error_;
};

}  // namespace waggle::codec
