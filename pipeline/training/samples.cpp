// The sample sheet, through the pipeline's public face.
#include "pipeline/training/samples.h"

#include <fstream>
#include <future>
#include <stdexcept>

#include "pipeline/image/picture.h"
#include "pipeline/pipeline.h"

namespace waggle::training {
namespace {

constexpr const char* kModel = "trained";

pipeline::Picture render(pipeline::Pipeline& pipeline, const std::string& prompt, std::uint64_t seed) {
  pipeline::RenderJob job;
  job.model = job.request.model = kModel;
  job.request.prompt = prompt;
  job.request.steps = 20;
  job.request.guidance_scale = 4.0;
  job.request.seed = seed;
  std::string bytes;
  std::promise<std::string> ended;  // with what went wrong, or with nothing
  job.callbacks.image = [&](pipeline::RenderedImage image) { bytes = std::move(image.bytes); };
  job.callbacks.end = [&](const Result<pipeline::RenderSummary>& summary) {
    ended.set_value(summary ? std::string() : summary.error().message);
  };
  pipeline.render(std::move(job));
  if (const std::string wrong = ended.get_future().get(); !wrong.empty()) throw std::runtime_error(wrong);
  auto picture = pipeline::decode(bytes);
  if (!picture) throw std::runtime_error(picture.error().message);
  return std::move(*picture);
}

void paste(const pipeline::Picture& from, pipeline::Picture& sheet, int left, int top) {
  const auto row = static_cast<std::size_t>(from.width) * 3;
  for (int y = 0; y < from.height; ++y) {
    const auto source = from.samples.begin() + static_cast<std::ptrdiff_t>(row) * y;
    std::copy(source, source + static_cast<std::ptrdiff_t>(row),
              sheet.samples.begin() + (static_cast<std::ptrdiff_t>(top + y) * sheet.width + left) * 3);
  }
}

}  // namespace

std::vector<std::string> sample_prompts() {
  return {"a big red circle on a blue background",
          "green star left of a yellow ring, striped backdrop",
          "a small white heart on a black background",
          "a cyan crescent above an orange square on a purple background",
          "a blue cross in the centre on a white background",
          "an outlined black triangle on a gradient from yellow to pink",
          "a yellow star at the top on red and white stripes",
          "a pink ring below a green circle on a black background",
          "a purple square on a white background",
          "a red heart on a green background",
          "a green square",
          "a white crescent on the right on a blue background",
          "a big orange cross on a black and purple striped background",
          "a black ring left of a red triangle on a yellow background",
          "a blue star on a white background",
          "a purple circle on a yellow background"};
}

void write_sample_sheet(const std::filesystem::path& folder, const std::vector<std::string>& prompts,
                        int columns, const std::filesystem::path& file) {
  pipeline::Options options;
  options.threads = 1;
  pipeline::Pipeline pipeline(options);
  const auto loaded = pipeline.load(folder, kModel);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  pipeline::Picture sheet;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const pipeline::Picture picture = render(pipeline, prompts[i], i);
    const int count = static_cast<int>(prompts.size()), at = static_cast<int>(i);
    if (i == 0) {
      sheet = {columns * picture.width, (count + columns - 1) / columns * picture.height, 3, {}};
      sheet.samples.assign(static_cast<std::size_t>(sheet.width) * static_cast<std::size_t>(sheet.height) * 3,
                           0);
    }
    paste(picture, sheet, at % columns * picture.width, at / columns * picture.height);
  }
  std::ofstream out(file, std::ios::binary);
  if (!(out << pipeline::encode(sheet, OutputFormat::png)).flush())
    throw std::runtime_error("cannot write " + file.string());
}

}  // namespace waggle::training
