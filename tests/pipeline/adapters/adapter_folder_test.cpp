// Folders of adapters: names that stay inside, hashes of content, and what the catalogue lists.
#include "pipeline/adapters/adapter_folder.h"

#include <fstream>

#include <catch2/catch.hpp>

#include "pipeline/catalogue.h"
#include "pipeline/weights/blake2b.h"
#include "pipeline/weights/content_hashes.h"
#include "pipeline/weights/weight_source.h"
#include "tests/pipeline/adapters/written_lora.h"

using namespace waggle::pipeline;
using waggle::adapters::LoraFolder;

namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

std::string blake2b(const std::string& text, std::size_t piece) {
  Blake2b hash;
  for (std::size_t at = 0; at < text.size(); at += piece) hash.add(std::string_view(text).substr(at, piece));
  return hash.finish();
}

}  // namespace

TEST_CASE("blake2b: digests of 32 bytes as Python's hashlib has them, whole and in pieces") {
  CHECK(blake2b("", 1) == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  CHECK(blake2b("abc", 1) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  const std::string two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const std::string million(1'000'000, 'a');
  for (const std::size_t piece : {1UL, 127UL, 128UL, 129UL, 1'000'000UL}) {
    CHECK(blake2b(two, piece) == "5f7a93da9c5621583f22e49e8e91a40cbba37536622235a380f434b9f68e49c4");
    CHECK(blake2b(million, piece) == "0741850f36cba4259628355d1073e24ddb9ca0e1bfac36fd39ae5dc2101e23a4");
  }
}

TEST_CASE("content hashes: a file is read once, and anew when it was replaced") {
  const LoraFolder folder;
  const fs::path one = folder.path() / "one", other = folder.path() / "other";
  write(one, "abc");
  write(other, "abc");
  ContentHashes hashes;
  const std::string abc = hashes.of(one);
  CHECK(abc == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  CHECK(hashes.of(other) == abc);
  CHECK(hashes.files_read() == 2);
  for (int i = 0; i < 3; ++i) CHECK(hashes.of(one) == abc);
  CHECK(hashes.files_read() == 2);

  // Another name of the same file needs no reading.
  fs::rename(one, folder.path() / "renamed");
  write(one, "xyz");  // as long, and as young as the clock can tell
  CHECK(hashes.of(one) != abc);
  CHECK_THROWS_AS(hashes.of(folder.path() / "missing"), LoadError);
  CHECK_THROWS_AS(hashes.of(folder.path()), LoadError);
}

TEST_CASE("adapter folder: names lead to what is inside or nowhere") {
  const LoraFolder outer;
  const fs::path dir = outer.path() / "adapters";
  fs::create_directories(dir / "net");
  write(dir / "net/config.json", "{}");
  write(dir / "ink.safetensors", "x");
  write(dir / "old.pt", "x");
  write(outer.path() / "secret.safetensors", "x");
  fs::create_directories(outer.path() / "beside");
  const AdapterFolder folder(dir);
  CHECK(folder.file("ink") == dir / "ink.safetensors");
  CHECK(folder.file("ink.safetensors") == dir / "ink.safetensors");
  CHECK(folder.folder("net") == dir / "net");
  for (const char* name :
       {"", ".", "..", "../secret", "..\\secret", "net/config.json", "old.pt", "old", "missing", "/"})
    CHECK_FALSE(folder.file(name));
  for (const char* name : {"", ".", "..", "../beside", "ink.safetensors"}) CHECK_FALSE(folder.folder(name));
  CHECK(folder.files() == std::vector<std::string>{"ink"});
  CHECK(folder.files(".pt") == std::vector<std::string>{"old"});
  CHECK(folder.folders_with("config.json") == std::vector<std::string>{"net"});
  CHECK(AdapterFolder({}).files().empty());
  CHECK_FALSE(AdapterFolder({}).file("ink"));
}

TEST_CASE("catalogue: adapters lie beside the models, unless a folder is given") {
  const LoraFolder models;
  for (const char* name : {"loras", "embeddings", "vae", "controlnet/canny"})
    fs::create_directories(models.path() / name);
  write(models.path() / "loras/ink.safetensors", "x");
  write(models.path() / "embeddings/b.safetensors", "x");
  write(models.path() / "embeddings/a.safetensors", "x");
  write(models.path() / "vae/soft.safetensors", "x");
  write(models.path() / "controlnet/canny/config.json", "{}");
  Options options;
  options.folders.loras = models.path() / "embeddings";
  use_folders_beside(models.path(), options.folders);
  CHECK(options.folders.loras == models.path() / "embeddings");
  CHECK(options.folders.vaes == models.path() / "vae");
  CHECK(options.folders.taesd.empty());
  const AdapterNames names = adapter_names(options.folders);
  CHECK(names.embeddings == std::vector<std::string>{"a", "b"});
  CHECK(names.loras == names.embeddings);
  CHECK(names.vaes == std::vector<std::string>{"soft"});
  CHECK(names.controlnets == std::vector<std::string>{"canny"});
}
