// VAEs swapped by file: formats, sharing, and what is refused; small decoders for previews.
#include <fstream>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/models/taesd.h"
#include "pipeline/weights/original_names.h"
#include "tests/pipeline/adapters/finished_job.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

namespace fs = std::filesystem;

/// The tensors of the small model's VAE, the decoder's last bias moved.
NamedTensors vae_tensors(double moved = 0) {
  const auto file =
      SafetensorsFile::open(small_model_dir() / "vae/diffusion_pytorch_model.safetensors").value();
  NamedTensors tensors;
  for (const auto& [name, entry] : file.entries()) {
    at::Tensor tensor = file.tensor(name).clone();
    if (name == "decoder.conv_out.bias") tensor += moved;
    tensors.emplace_back(name, tensor);
  }
  return tensors;
}

/// The same under the names of the original checkpoints.
NamedTensors original(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors renamed;
  for (const auto& [name, tensor] : tensors) {
    const auto as = original_vae_name(name, {4, 2, {}});
    REQUIRE(as);
    const bool matrix = name.find("attentions") != std::string::npos && tensor.dim() == 2;
    renamed.emplace_back(prefix + *as, matrix ? tensor.view({tensor.size(0), tensor.size(1), 1, 1}) : tensor);
  }
  return renamed;
}

Options with_vaes(const LoraFolder& folder) {
  Options o = small_options();
  o.folders.vaes = folder.path();
  return o;
}

JobRequest with_vae(std::optional<std::string> vae, std::int64_t seed = 7) {
  JobRequest request = small_request();
  request.vae = std::move(vae);
  request.seed = seed;
  return request;
}

}  // namespace

TEST_CASE("vae jobs: the model's own weights in every form give the model's own picture, others another") {
  const LoraFolder folder;
  fs::copy(small_model_dir() / "vae", folder.path() / "folder");
  folder.write("diffusers.safetensors", vae_tensors());
  folder.write("bare.safetensors", original(vae_tensors(), ""));
  folder.write("prefixed.safetensors", original(vae_tensors(), "first_stage_model."));
  folder.write("bright.safetensors", vae_tensors(0.5));
  Pipeline pipeline(with_vaes(folder));
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const Picture own = FinishedJob(pipeline, with_vae({})).picture();
  for (const char* name : {"folder", "diffusers", "bare", "prefixed.safetensors"}) {
    INFO(name);
    CHECK(same(FinishedJob(pipeline, with_vae(name)).picture(), own));
  }
  CHECK_FALSE(same(FinishedJob(pipeline, with_vae("bright")).picture(), own));
  CHECK(same(FinishedJob(pipeline, with_vae({})).picture(), own));

  // A picture that comes in goes through it too.
  JobRequest transform = with_vae("bright");
  ImageTransform operation;
  operation.input_image.source = encode(own, OutputFormat::png);
  operation.strength = 0.5;
  transform.operation = operation;
  CHECK(FinishedJob(pipeline, transform).picture().width == own.width);
}

TEST_CASE("vae jobs: jobs with different VAEs share UNet calls, and each gets what it gets alone") {
  const LoraFolder folder;
  folder.write("bright.safetensors", vae_tensors(0.5));
  folder.write("dark.safetensors", vae_tensors(-0.5));
  Pipeline pipeline(with_vaes(folder));
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const auto long_job = [](const char* vae) {
    JobRequest request = with_vae(vae);
    request.steps = 60;
    return request;
  };
  const Picture bright = FinishedJob(pipeline, long_job("bright")).picture();
  const Picture dark = FinishedJob(pipeline, long_job("dark")).picture();
  CHECK_FALSE(same(bright, dark));
  const EngineStats before = pipeline.stats();
  FinishedJob one(pipeline, long_job("bright")), other(pipeline, long_job("dark"));
  const Picture beside = one.picture(), also = other.picture();
  const EngineStats after = pipeline.stats();
  CHECK(after.unet_images - before.unet_images > after.unet_calls - before.unet_calls);
  REQUIRE(beside.samples.size() == bright.samples.size());
  int furthest = 0;
  for (std::size_t i = 0; i < bright.samples.size(); ++i)
    furthest = std::max({furthest, std::abs(beside.samples[i] - bright.samples[i]),
                         std::abs(also.samples[i] - dark.samples[i])});
  CHECK(furthest <= 1);  // another batch, another order of summation
}

TEST_CASE("vae jobs: a VAE that cannot be used ends its job with the field") {
  const LoraFolder folder;
  fs::create_directory(folder.path() / "inner");
  std::ofstream(folder.path() / "broken.safetensors") << "no tensors here, but a good many bytes";
  folder.write("lora.safetensors", small_lora(1));
  folder.write("wide.safetensors", [] {
    NamedTensors tensors = vae_tensors();
    for (auto& [name, tensor] : tensors)
      if (name == "decoder.conv_in.weight") tensor = at::zeros({tensor.size(0), 16, 3, 3});
    return tensors;
  }());
  Pipeline pipeline(with_vaes(folder));
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const auto refused = [&](const std::string& name, ErrorCode code) {
    const Error error = FinishedJob(pipeline, with_vae(name)).error();
    INFO(name << ": " << to_string(error));
    CHECK(error.code == code);
    REQUIRE_FALSE(error.fields.empty());
    CHECK(error.fields[0].path == "/vae");
  };
  refused("missing", ErrorCode::unknown_adapter);
  refused("inner", ErrorCode::invalid_request);
  refused("broken", ErrorCode::invalid_request);
  refused("lora", ErrorCode::invalid_request);
  refused("wide", ErrorCode::invalid_request);
  refused("../" + folder.path().filename().string(), ErrorCode::invalid_request);
}

namespace {

constexpr std::int64_t kWidth = 8;

/// A TAESD decoder's tensors by their places in its author's list.
NamedTensors taesd_tensors() {
  NamedTensors tensors;
  std::uint64_t seed = 0;
  const auto conv = [&](const std::string& name, std::int64_t out, std::int64_t in, bool bias) {
    tensors.emplace_back(name + ".weight", noise(++seed, {out, in, 3, 3}));
    if (bias) tensors.emplace_back(name + ".bias", noise(++seed, {out}));
  };
  conv("1", kWidth, 4, true);
  for (const int block : {3, 4, 5, 8, 9, 10, 13, 14, 15, 18})
    for (const int layer : {0, 2, 4})
      conv(std::to_string(block) + ".conv." + std::to_string(layer), kWidth, kWidth, true);
  for (const int place : {7, 12, 17}) conv(std::to_string(place), kWidth, kWidth, false);
  conv("19", 3, kWidth, true);
  return tensors;
}

/// What the author's list of layers computes, layer by layer.
at::Tensor taesd_reference(const NamedTensors& tensors, const at::Tensor& latents) {
  const auto get = [&](const std::string& name) {
    for (const auto& [known, tensor] : tensors)
      if (known == name) return tensor;
    return at::Tensor();
  };
  const auto conv = [&](const std::string& name, const at::Tensor& x) {
    return at::conv2d(x, get(name + ".weight"), get(name + ".bias"), 1, 1);
  };
  at::Tensor x = at::tanh(latents / 3) * 3;
  for (int place = 1; place <= 19; ++place) {
    const std::string name = std::to_string(place);
    if (get(name + ".weight").defined())
      x = conv(name, x);
    else if (get(name + ".conv.0.weight").defined())
      x = at::relu(
          x + conv(name + ".conv.4", at::relu(conv(name + ".conv.2", at::relu(conv(name + ".conv.0", x))))));
    else if (place == 2)
      x = at::relu(x);
    else
      x = at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  }
  return at::clamp(x, 0, 1);
}

/// diffusers' AutoencoderTiny: the clamp has no place, and there is an encoder too.
NamedTensors tiny_names(const NamedTensors& tensors) {
  NamedTensors renamed{{"encoder.layers.0.weight", noise(99, {kWidth, 3, 3, 3})}};
  for (const auto& [name, tensor] : tensors) {
    const std::size_t dot = name.find('.');
    renamed.emplace_back(
        "decoder.layers." + std::to_string(std::stoi(name.substr(0, dot)) - 1) + name.substr(dot), tensor);
  }
  return renamed;
}

}  // namespace

TEST_CASE("taesd: both namings compute what the list of layers says") {
  const LoraFolder folder;
  const NamedTensors tensors = taesd_tensors();
  const at::Tensor latents = noise(5, {1, 4, 5, 6}) * 20;
  const auto fp32 = ops::reference_operations(at::kCPU, at::kFloat);
  const at::Tensor expected = taesd_reference(tensors, latents);
  CHECK(expected.sizes() == at::IntArrayRef{1, 3, 40, 48});
  for (const auto& file : {folder.write("taesd_decoder.safetensors", tensors),
                           folder.write("taesdxl.safetensors", tiny_names(tensors))}) {
    const TaesdDecoder decoder(file, fp32);
    CHECK(decoder.latent_channels() == 4);
    CHECK(at::allclose(decoder.forward(latents), expected, 1e-4, 1e-5));
  }
  CHECK(find_taesd(folder.path(), "taesd") == folder.path() / "taesd_decoder.safetensors");
  CHECK(find_taesd(folder.path(), "taesdxl") == folder.path() / "taesdxl.safetensors");
  CHECK_THROWS_AS(TaesdDecoder(folder.write("x.safetensors", small_lora(1)), fp32), LoadError);
}

TEST_CASE("taesd: previews are as large as the picture where the worker has the decoder") {
  const LoraFolder folder;
  folder.write("taesd_decoder.safetensors", taesd_tensors());
  JobRequest request = small_request();
  request.preview_every = 1;
  request.operation = ImageGeneration{64, 96};
  const auto preview_of = [&](const Options& options) {
    Pipeline pipeline(options);
    REQUIRE(pipeline.load(small_model_dir(), "small"));
    FinishedJob job(pipeline, request);
    static_cast<void>(job.picture());
    REQUIRE(job.previews().size() == 1);
    return decode(job.previews().front().bytes).value();
  };
  Options options = small_options();
  CHECK(preview_of(options).height == 12);
  options.folders.taesd = folder.path();
  CHECK(preview_of(options).height == 96);
  // One that is broken is done without.
  folder.write("taesd_decoder.safetensors", small_lora(1));
  CHECK(preview_of(options).height == 12);
}
