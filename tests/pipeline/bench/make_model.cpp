// waggle-make-model: writes a full-size model of random weights as a diffusers folder in fp16.
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "tests/pipeline/bench/random_model.h"

int main(int argc, char** argv) {
  std::filesystem::path out, tokenizer;
  std::string model = "sd15";
  CLI::App app("Writes a full-size model of random weights as a diffusers folder in fp16.");
  app.add_option("folder", out, "must not exist")->required();
  app.add_option("--tokenizer", tokenizer, "folder with vocab.json and merges.txt")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--model", model)->check(CLI::IsMember({"sd15", "sd21", "sdxl"}))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (std::filesystem::exists(out)) {
    std::fprintf(stderr, "%s exists already\n", out.c_str());
    return 2;
  }
  try {
    waggle::bench::write_model(out, waggle::bench::kind_of(model), tokenizer);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
