// What a worker says of the files beside its models.
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "consumer/worker/pipeline_renderer.h"
#include "schemas/limits.h"

namespace waggle::worker {
namespace {

namespace fs = std::filesystem;

TEST_CASE("worker: LoRAs, embeddings, VAEs and ControlNets are told, those too that come while it runs") {
  const fs::path dir = fs::temp_directory_path() / ("waggle-adapters-" + std::to_string(::getpid()));
  const auto put = [&](const fs::path& file) {
    fs::create_directories((dir / file).parent_path());
    std::ofstream(dir / file) << "{}";
  };
  put("loras/paper.v2.safetensors");
  put("loras/ink.safetensors");
  put("loras/notes.txt");
  put("embeddings/bad-hands.safetensors");
  put("vae/soft.safetensors");
  put("controlnet/canny/config.json");
  pipeline::Options options;
  pipeline::use_folders_beside(dir, options.folders);
  const PipelineRenderer renderer(options, {});
  const AdapterLists expected{{"ink", "paper.v2"}, {"bad-hands"}, {"soft"}, {"canny"}};
  CHECK(renderer.describe().adapters == expected);

  put("embeddings/new.safetensors");
  CHECK(renderer.describe().adapters.embeddings == std::vector<std::string>{"bad-hands", "new"});
  for (std::size_t i = 0; i <= limits::kMaxListedAdapters; ++i)
    put("loras/many-" + std::to_string(i) + ".safetensors");
  CHECK(renderer.describe().adapters.loras.size() == limits::kMaxListedAdapters);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace waggle::worker
