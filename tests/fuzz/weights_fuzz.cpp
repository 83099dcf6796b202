// Weight files as tensors: a safetensors file is opened, every tensor that it claims is read, and it is tried
// as whatever a request can name. Replayed alone, since clang cannot compile libtorch's headers in C++20;
// what can be fuzzed is safetensors_fuzz.cpp. Errors and LoadError are answers; anything else is a fault.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <ATen/Functions.h>

#include "pipeline/adapters/embedding_file.h"
#include "pipeline/adapters/lora_file.h"
#include "pipeline/weights/safetensors.h"
#include "pipeline/weights/single_file.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace waggle::pipeline;

/// Reading a tensor proves that its bytes lie inside the mapping.
void read_all(const SafetensorsFile& file) {
  for (const auto& [name, entry] : file.entries()) {
    const at::Tensor tensor = file.tensor(name);
    volatile unsigned char last = 0;
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    for (std::size_t at = 0; at < tensor.nbytes(); at += 512) last = bytes[at];
    if (tensor.nbytes() > 0) last = bytes[tensor.nbytes() - 1];
    static_cast<void>(last);
  }
}

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const LoadError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const waggle::fuzz::MemoryFile memory({reinterpret_cast<const char*>(data), size});
  const auto file = SafetensorsFile::open(memory.path());
  if (!file) return 0;
  read_all(*file);
  attempt([&] { static_cast<void>(recognise(*file)); });
  attempt([&] {
    const EmbeddingFile embedding(memory.path());
    const std::int64_t widths[] = {4};
    static_cast<void>(embedding.vectors(widths));
  });
  attempt([&] {
    const LoraFile lora(memory.path());
    for (const auto& [place, layer] : lora.layers())
      for (const auto& shape : {std::vector<std::int64_t>{4, 4}, std::vector<std::int64_t>{4, 4, 3, 3}})
        attempt([&] { static_cast<void>(layer.delta(shape)); });
  });
  return 0;
}
