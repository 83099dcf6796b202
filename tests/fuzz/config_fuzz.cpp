// Fuzz entry of a model's JSON files. The first byte picks which file the rest is. Errors and LoadError are
// answers; anything else is a fault, and so is memory out of proportion.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pipeline/models/clip_text_config.h"
#include "pipeline/models/config.h"
#include "pipeline/models/unet_config.h"
#include "pipeline/models/vae_config.h"
#include "pipeline/schedules/scheduler_config.h"
#include "pipeline/weights/load_error.h"
#include "pipeline/weights/weight_files.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waggle::pipeline;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const int kind = data[0] % 6;
  if (kind == 0) {
    static_cast<void>(parse_scheduler_config(text));
    return 0;
  }
  try {
    if (kind == 5) {
      for (const std::string& shard : shards_of_index(text, "fuzz"))
        if (shard.empty() || shard == ".." || shard.find('/') != std::string::npos) std::abort();
      return 0;
    }
    const waggle::fuzz::MemoryFile file(text);
    const Config config = Config::read(file.path());
    switch (kind) {
      case 1:
        static_cast<void>(UNetConfig::from(config));
        break;
      case 2:
        static_cast<void>(UNetConfig::down_path_from(config));
        break;
      case 3:
        static_cast<void>(VaeConfig::from(config));
        break;
      default:
        static_cast<void>(ClipTextConfig::from(config));
    }
  } catch (const LoadError&) {
  }
  return 0;
}
