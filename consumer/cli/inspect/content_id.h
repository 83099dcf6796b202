// The name by which the queue knows a picture in a request: the hash of its bytes.
#pragma once

#include <string_view>

#include "schemas/ids.h"

namespace waggle::cli {

/// "sha256:" and 64 hexadecimal digits, as the ledger names blobs.
BlobId content_id(std::string_view bytes);

}  // namespace waggle::cli
