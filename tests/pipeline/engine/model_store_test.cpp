// Which models stay in memory. The models here have a weight and nothing else.
#include "pipeline/engine/model_store.h"

#include <catch2/catch.hpp>

using namespace waggle;
using namespace waggle::pipeline;

namespace {

PartFiles nothing() { return {Config(nlohmann::json::object(), "part"), {}, 0}; }

/// A model takes as many bytes as its path says.
struct Store {
  explicit Store(std::int64_t limit, std::int64_t most = 1000)
      : shelf(limit),
        store(shelf, most,
              {[](const std::filesystem::path& path) {
                 return ModelFiles{path, "", {}, {}, nothing(), nothing(), "", false};
               },
               [](const ModelFiles& files) { return std::stoll(files.path.string()); },
               [this](const ModelFiles& files, const std::string& name) {
                 ++builds;
                 if (files.path == "13") throw LoadError("unlucky");
                 auto model = std::make_shared<LoadedModel>(LoadedModel{{}, files, {}, {}, name});
                 model->bytes = std::stoll(files.path.string());
                 return model;
               }},
              {}) {}
  ModelStore::Model load(const std::string& name, const std::string& bytes = "100") {
    auto model = store.load(bytes, name);
    REQUIRE(model);
    return *model;
  }
  int builds = 0;
  ModelShelf shelf;
  ModelStore store;
};

}  // namespace

TEST_CASE("model store: the longest unused goes first, and a kept one is there at once") {
  Store s(250);
  s.load("a");
  s.load("b");
  CHECK(s.store.find("a"));  // used again: b is the older one now
  s.load("c");
  CHECK(s.builds == 3);
  CHECK(s.store.bytes("a") == 100);
  CHECK(s.store.bytes("b") == 0);
  CHECK(s.store.bytes("c") == 100);
  s.load("a");
  CHECK(s.builds == 3);
  CHECK(s.shelf.bytes() == 200);
}

TEST_CASE("model store: what somebody uses is never given up, whatever the limit") {
  Store s(100);
  const auto held = s.load("a");
  const auto too = s.load("b");
  s.load("c");
  CHECK(s.shelf.bytes() == 300);
  s.load("d");
  CHECK(s.store.bytes("a") == 100);
  CHECK(s.store.bytes("b") == 100);
  CHECK(s.store.bytes("c") == 0);
}

TEST_CASE("model store: a model that was given up is loaded again from where it was") {
  Store s(100);
  s.load("a", "90");
  s.load("b", "80");
  CHECK(s.store.bytes("a") == 0);
  CHECK(s.store.knows("a"));
  CHECK_FALSE(s.store.find("a"));
  const auto again = s.store.get("a");
  REQUIRE(again);
  CHECK((*again)->bytes == 90);
  CHECK(s.builds == 3);
  CHECK(s.store.get("never").error().code == ErrorCode::unknown_model);
}

TEST_CASE("model store: too large a model is refused with both numbers, a broken one with its reason") {
  Store s(300, 200);
  s.load("a");
  const auto large = s.store.load(std::to_string(std::int64_t{300} << 20), "large");
  REQUIRE_FALSE(large);
  CHECK(large.error().code == ErrorCode::out_of_memory);
  CHECK(large.error().message == "the model needs about 300 MiB, the memory for models is 0 MiB");
  CHECK(s.store.load("13", "broken").error().code == ErrorCode::model_load_failed);
  CHECK_FALSE(s.store.knows("broken"));
  CHECK(s.store.bytes("a") == 100);
}

TEST_CASE("model store: a forgotten name is unknown, its model lives on with who holds it") {
  Store s(1000);
  const std::weak_ptr<const LoadedModel> model = s.load("a");
  auto held = model.lock();
  CHECK(s.store.forget("a") == held);
  CHECK_FALSE(s.store.knows("a"));
  CHECK(s.shelf.size() == 0);
  held.reset();
  CHECK(model.expired());
}

TEST_CASE("model store: variants count with the models, and make room like them") {
  Store s(250);
  s.load("a");
  s.load("b");
  s.load("a");
  auto variant = std::make_shared<LoadedModel>(
      LoadedModel{{}, {"100", "", {}, {}, nothing(), nothing(), "", false}, {}, {}, "a with LoRA"});
  variant->bytes = 100;
  s.shelf.put(variant);
  CHECK(s.store.bytes("b") == 0);
  CHECK(s.shelf.bytes() == 200);
}
