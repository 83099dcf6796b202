// Fuzz entry of weight files as far as they can be read without tensors: the header, what the file is taken
// for and what its names mean. What makes tensors of it is weights_fuzz.cpp's.
//
// The first byte chooses: even, the rest is a file as it lies; odd, two bytes say how many bytes of data
// stand behind the header that the rest is, so that a header may grow without its length going wrong.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/adapters/lora_names.h"
#include "pipeline/weights/checkpoint_kind.h"
#include "pipeline/weights/load_error.h"
#include "pipeline/weights/original_names.h"
#include "pipeline/weights/safetensors_header.h"

namespace {

using namespace waggle::pipeline;

/// Of its own, exactly as long as the file: a byte too far is found.
std::vector<char> file_of(std::string_view input) {
  const bool whole = static_cast<unsigned char>(input[0]) % 2 == 0 || input.size() < 3;
  if (whole) return {input.begin() + 1, input.end()};
  const std::size_t data = static_cast<unsigned char>(input[1]) + 256u * static_cast<unsigned char>(input[2]);
  const std::string_view header = input.substr(3);
  std::vector<char> file;
  for (int shift = 0; shift < 64; shift += 8)
    file.push_back(static_cast<char>(header.size() >> shift & 0xff));
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + data, '\x3c');
  return file;
}

/// What the header promises of an entry: its bytes lie in the file, as many as its shape needs.
void check(const TensorEntry& entry, const std::vector<char>& file) {
  if (entry.begin > entry.end || entry.end > file.size()) std::abort();
  std::uint64_t bytes = bytes_of(entry.type);
  for (const std::int64_t side : entry.shape) bytes *= static_cast<std::uint64_t>(side);
  if (bytes != entry.end - entry.begin) std::abort();
}

void read_name(std::string_view name) {
  static const LevelLayout layout{4, 2, {false, true, true, true}};
  static_cast<void>(parse_lora_name(name));
  static_cast<void>(unsupported_adapter(name));
  for (const char c : printable(name))
    if (c < ' ' || c > '~') std::abort();
  static_cast<void>(original_unet_name(name, layout));
  static_cast<void>(original_vae_name(name, layout));
  static_cast<void>(original_controlnet_name(name, layout));
  static_cast<void>(open_clip_name(name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<char> file = file_of({reinterpret_cast<const char*>(data), size});
  const auto entries = parse_safetensors_header({file.data(), file.size()}, "fuzz");
  if (!entries) return 0;
  for (const auto& [name, entry] : *entries) {
    check(entry, file);
    read_name(name);
  }
  try {
    static_cast<void>(recognise(*entries, "fuzz"));
  } catch (const LoadError&) {
  }
  return 0;
}
