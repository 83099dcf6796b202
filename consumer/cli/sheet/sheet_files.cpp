// Reading, paging and writing.
#include "consumer/cli/sheet/sheet_files.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <system_error>

#include "consumer/cli/output_file.h"
#include "consumer/cli/sheet/caption.h"
#include "schemas/limits.h"

namespace waggle::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 512u << 20;  ///< a picture of the pipeline may be 4096x4096
constexpr const char* kSoftware = "Software";
constexpr const char* kMark = "Waggle contact sheet";

Status add_picture(ContactSheet& sheet, const fs::path& file) {
  const auto named = [&file](const Error& error) {
    return Error{error.code, file.string() + ": " + error.message};
  };
  auto bytes = read_file(file, kMaxFileBytes);
  if (!bytes) return bytes.error();
  auto picture = pipeline::decode(*bytes);
  if (!picture) return named(picture.error());
  const auto text = pipeline::read_text(*bytes);
  std::string caption = text ? caption_of(*text) : std::string();
  if (caption.empty()) caption = file.filename().string();
  sheet.add(*picture, caption);
  return Done{};
}

}  // namespace

Result<std::vector<fs::path>> picture_files(const std::vector<fs::path>& named) {
  std::vector<fs::path> files;
  for (const fs::path& name : named) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      if (!fs::exists(name, error)) return Error{ErrorCode::io_error, name.string() + ": no such file"};
      files.push_back(name);
      continue;
    }
    std::vector<fs::path> inside;
    for (fs::directory_iterator entry(name, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->is_regular_file(error) && format_of(entry->path())) inside.push_back(entry->path());
    }
    if (error) return Error{ErrorCode::io_error, name.string() + ": " + error.message()};
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  if (files.empty()) return Error{ErrorCode::invalid_request, "there is no picture to put on the sheet"};
  return files;
}

bool is_sheet(const fs::path& file) {
  const auto bytes = read_file(file, kMaxFileBytes);
  if (!bytes) return false;
  const auto text = pipeline::read_text(*bytes);
  return text && std::find(text->begin(), text->end(),
                           std::pair<std::string, std::string>(kSoftware, kMark)) != text->end();
}

Result<std::vector<fs::path>> write_sheets(const fs::path& out, const std::vector<fs::path>& pictures,
                                           const SheetLayout& layout) {
  const auto format = format_of(out);
  if (!format) return format.error();
  const auto per_sheet = static_cast<std::size_t>(ContactSheet(layout).most_pictures());
  const std::size_t sheets = (pictures.size() + per_sheet - 1) / per_sheet;
  std::vector<fs::path> written;
  for (std::size_t number = 0; number < sheets; ++number) {
    ContactSheet sheet(layout);
    const std::size_t end = std::min(pictures.size(), (number + 1) * per_sheet);
    for (std::size_t i = number * per_sheet; i < end; ++i) {
      if (auto added = add_picture(sheet, pictures[i]); !added) return added.error();
    }
    std::string bytes;
    try {
      bytes = pipeline::encode(sheet.draw(), *format, {{kSoftware, kMark}});
    } catch (const std::exception& error) {
      return Error{ErrorCode::invalid_request, error.what()};
    }
    written.push_back(numbered(out, static_cast<int>(number), static_cast<int>(sheets)));
    if (auto saved = write_atomically(written.back(), bytes); !saved) return saved.error();
  }
  return written;
}

}  // namespace waggle::cli
