// One line of a batch file as read, and what was wrong with it. No reader knows what becomes of an entry.
#pragma once

#include <string>
#include <vector>

#include "schemas/codec/document.h"

namespace waggle::cli::batch {

/// The job fields that one line, record or object names, under the protocol's names; not yet checked.
struct Entry {
  int line = 0;  ///< 1-based, of its beginning
  codec::Object fields;
};

/// Something to tell about a place of the file.
struct Remark {
  int line = 0;      ///< 0: the file as a whole
  std::string path;  ///< JSON pointer of the field; empty: the line as a whole
  std::string message;
  bool operator==(const Remark&) const = default;
};

struct Entries {
  std::vector<Entry> entries;
  std::vector<Remark> errors;  ///< any of them: nothing is rendered
  std::vector<Remark> notes;   ///< what was passed over
};

/// "prompts.csv:12: /steps: must be ..."
std::string to_string(const Remark& remark, const std::string& file);

}  // namespace waggle::cli::batch
