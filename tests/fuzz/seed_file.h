// Where the seed tools put what they make.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace waggle::fuzz {

inline int seeds_written = 0;

inline void write_seed(const std::filesystem::path& file, const std::string& bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << bytes;
  ++seeds_written;
}

}  // namespace waggle::fuzz
