// Textual-inversion embeddings: the files, and what prompts that name them give.
#include <fstream>

#include <ATen/Functions.h>
#include <catch2/catch.hpp>

#include "pipeline/adapters/embedding_file.h"
#include "pipeline/models/encoding_cache.h"
#include "pipeline/text/tokenizer.h"
#include "tests/pipeline/adapters/finished_job.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle;
using namespace waggle::pipeline;
using namespace waggle::adapters;

namespace {

constexpr std::int64_t kWidth = 32;  // of the small model's text encoder

/// What the model has for the tokens of a text.
at::Tensor token_vectors(const std::string& text) {
  const auto ids = Tokenizer::load(small_model_dir() / "tokenizer").value().encode(text);
  const auto file = SafetensorsFile::open(small_model_dir() / "text_encoder/model.safetensors").value();
  const at::Tensor table = file.tensor("text_model.embeddings.token_embedding.weight");
  std::vector<at::Tensor> rows;
  for (const std::int32_t id : ids) rows.push_back(table[id]);
  return at::stack(rows).clone();
}

struct Folder : LoraFolder {
  [[nodiscard]] Options options() const {
    Options o = small_options();
    o.folders.embeddings = path();
    return o;
  }
};

Picture rendered(Pipeline& pipeline, const std::string& prompt) {
  return FinishedJob(pipeline, small_request(prompt)).picture();
}

std::string load_error(const std::filesystem::path& file) {
  try {
    EmbeddingFile embedding(file);
  } catch (const LoadError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("embedding jobs: vectors that equal tokens give exactly the picture of these tokens") {
  const Folder folder;
  folder.write("My-Style.safetensors", {{"emb_params", token_vectors("red circle")}});
  folder.write("toy.safetensors", {{"<toy>", token_vectors("dark")[0].clone()}});
  Pipeline pipeline(folder.options());
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  REQUIRE(token_vectors("dark").size(0) >= 1);
  const Picture words = rendered(pipeline, "a red circle, bright");

  CHECK(same(rendered(pipeline, "a My-Style, bright"), words));
  CHECK(same(rendered(pipeline, "a my-style, bright"), words));
  CHECK(same(rendered(pipeline, "a embedding:My-Style, bright"), words));
  CHECK(same(rendered(pipeline, "a embedding:my-style.safetensors, bright"), words));
  CHECK_FALSE(same(rendered(pipeline, "a my-styles, bright"), words));
  CHECK_FALSE(same(rendered(pipeline, "a (my-style:1.4), bright"), words));
  CHECK(
      same(rendered(pipeline, "a (my-style:1.4), bright"), rendered(pipeline, "a (red circle:1.4), bright")));

  JobRequest negative = small_request();
  negative.negative_prompt = "embedding:my-style";
  negative.has_negative_prompt = true;
  JobRequest negative_words = negative;
  negative_words.negative_prompt = "red circle";
  CHECK(same(FinishedJob(pipeline, negative).picture(), FinishedJob(pipeline, negative_words).picture()));
}

TEST_CASE("embedding jobs: one that cannot be used ends its job with the field") {
  const Folder folder;
  folder.write("wide.safetensors", {{"emb_params", noise(1, {2, 64})}});
  folder.write("both.safetensors", {{"clip_l", noise(1, {2, kWidth})}, {"clip_g", noise(1, {2, 48})}});
  std::ofstream(folder.path() / "old.pt") << "a pickle";
  Pipeline pipeline(folder.options());
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const auto refused = [&](const JobRequest& request, ErrorCode code, const std::string& path,
                           const std::string& text) {
    const Error error = FinishedJob(pipeline, request).error();
    CHECK(error.code == code);
    REQUIRE(error.fields.size() == 1);
    CHECK(error.fields[0].path == path);
    CHECK_THAT(error.fields[0].message, Catch::Contains(text));
  };
  refused(small_request("a wide cat"), ErrorCode::invalid_request, "/prompt", "width 64");
  refused(small_request("both"), ErrorCode::invalid_request, "/prompt", "another kind of model");
  refused(small_request("an old cat"), ErrorCode::invalid_request, "/prompt", "pickle");
  refused(small_request("embedding:gone"), ErrorCode::unknown_adapter, "/prompt", "'gone'");
  refused(small_request("embedding:../wide"), ErrorCode::unknown_adapter, "/prompt",
          "not in the embeddings folder");
  JobRequest negative = small_request();
  negative.negative_prompt = "(wide:1.2)";
  negative.has_negative_prompt = true;
  refused(negative, ErrorCode::invalid_request, "/negative_prompt", "width 64");
  CHECK(rendered(pipeline, "a widest cat").width == 64);

  folder.write("late.safetensors", {{"emb_params", noise(1, {1, kWidth})}});
  CHECK_FALSE(same(rendered(pipeline, "late"), rendered(pipeline, "later")));
}

TEST_CASE("embedding file: every form is read, and what is none is named") {
  const Folder folder;
  const std::int64_t widths[] = {kWidth}, both[] = {kWidth, 48}, second[] = {48};
  const at::Tensor l = noise(1, {3, kWidth}), g = noise(2, {3, 48});
  CHECK(at::equal(EmbeddingFile(folder.write("a.safetensors", {{"emb_params", l}})).vectors(widths)[0], l));
  CHECK(at::equal(EmbeddingFile(folder.write("b.safetensors", {{"<cat>", l[0].clone()}})).vectors(widths)[0],
                  l.narrow(0, 0, 1)));
  for (const auto& [first, other] :
       {std::pair("clip_l", "clip_g"), std::pair("text_encoders_0", "text_encoders_1")}) {
    const EmbeddingFile sdxl(folder.write("c.safetensors", {{first, l}, {other, g}}));
    const auto vectors = sdxl.vectors(both);
    REQUIRE(vectors.size() == 2);
    CHECK(at::equal(vectors[0], l));
    CHECK(at::equal(vectors[1], g));
    CHECK(at::equal(sdxl.vectors(second).at(0), g));
    CHECK_THROWS_AS(sdxl.vectors(widths), LoadError);
  }
  const auto wrong = [&](const NamedTensors& tensors) {
    return load_error(folder.write("x.safetensors", tensors));
  };
  CHECK_THAT(wrong({{"one", l}, {"two", l}}), Catch::Contains("holds no embedding"));
  CHECK_THAT(wrong({{"emb_params", noise(1, {76, kWidth})}}), Catch::Contains("76 vectors"));
  CHECK_THAT(wrong({{"emb_params", noise(1, {1, 1, kWidth})}}), Catch::Contains("[vectors, width]"));
  CHECK_THAT(wrong({{"emb_params", l * std::numeric_limits<double>::infinity()}}), Catch::Contains("finite"));
  CHECK_THAT(wrong({{"emb_params", l.to(at::kLong)}}), Catch::Contains("floating-point"));
  CHECK_THAT(wrong({{"clip_l", l}, {"clip_g", g.narrow(0, 0, 2)}}), Catch::Contains("for the other"));
}

TEST_CASE("text cache: the same words are encoded once, and again by encoders that a LoRA changed") {
  const Folder folder;
  folder.write("te.safetensors", small_lora(1));
  NamedTensors unet_only = small_lora(1);
  unet_only.resize(6);
  folder.write("unet.safetensors", unet_only);
  Options options = small_options();
  options.folders.loras = folder.path();
  Pipeline pipeline(options);
  REQUIRE(pipeline.load(small_model_dir(), "small"));
  const auto runs = [&](const JobRequest& request) {
    const std::int64_t before = pipeline.stats().text_encoder_runs;
    static_cast<void>(FinishedJob(pipeline, request).picture());
    return pipeline.stats().text_encoder_runs - before;
  };
  JobRequest request = small_request("a red circle");
  CHECK(runs(request) == 2);  // the prompt, and the empty negative one
  const std::int64_t hits = pipeline.stats().text_cache_hits;
  CHECK(runs(request) == 0);
  CHECK(pipeline.stats().text_cache_hits == hits + 2);
  request.seed = 8;
  CHECK(runs(request) == 0);
  request.prompt = "a (red:1.3) circle";
  CHECK(runs(request) == 0);  // emphasis is multiplied in later
  request.prompt = "a blue circle";
  CHECK(runs(request) == 1);
  request.clip_skip = 1;
  CHECK(runs(request) == 1);
  request.clip_skip.reset();
  request.loras = {{"unet", 1.0}};
  CHECK(runs(request) == 0);
  request.loras = {{"te", 1.0}};
  CHECK(runs(request) == 2);
  request.loras = {{"unet", 0.5}, {"te", 1.0}};
  CHECK(runs(request) == 0);
  request.loras = {{"te", 0.5}};
  CHECK(runs(request) == 2);
}

TEST_CASE("text cache: it keeps to its bytes and forgets the longest unused first") {
  const at::Tensor state = at::zeros({1, 77, 8});
  const auto bytes = static_cast<std::int64_t>(state.nbytes());
  EncodingCache cache(3 * (bytes + 8));
  for (const char* key : {"a", "b", "c"}) cache.put(key, {state, {}});
  CHECK(cache.find("a"));
  cache.put("d", {state, {}});
  CHECK_FALSE(cache.find("b"));
  CHECK(cache.find("a"));
  CHECK(cache.find("c"));
  CHECK(cache.find("d"));
  CHECK(cache.bytes() <= 3 * (bytes + 8));
  cache.put("huge", {at::zeros({1, 77, 80}), {}});
  CHECK(cache.bytes() == 0);
  CHECK(cache.hits() == 4);
  CHECK(cache.misses() == 1);
}
