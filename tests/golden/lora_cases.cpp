// Golden cases of LoRA files: text, UNet and a whole run of the model that they are merged into.
#include <algorithm>
#include <vector>

#include <ATen/Functions.h>

#include "pipeline/adapters/merged_weights.h"
#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

using namespace pipeline;

/// Compares the conditioning of the two prompts that the set was recorded with. The UNet is then asked about
/// the recorded one, so that rounding in the text encoders does not count twice.
UNetContext recorded_context(const StableDiffusion& model, const GoldenSet& base, const GoldenSet& set,
                             const std::string& file, const std::string& name, Report& report) {
  std::vector<at::Tensor> text, pooled;
  for (const std::size_t row : {std::size_t{0}, std::size_t{2}}) {
    Prompts prompts;
    prompts.positive = base.json()["prompts"][row].get<std::string>();
    const Conditioning conditioning = model.encode(prompts);
    text.push_back(conditioning.positive);
    pooled.push_back(conditioning.pooled_positive);
  }
  const auto compared = [&](const std::string& leaf, const std::vector<at::Tensor>& rows) {
    const std::string key = file + "." + leaf;
    report.compare(name + "." + leaf, at::cat(rows), set.tensor(key), set.bound(key, 5e-5));
    return set.tensor(key);
  };
  const at::Tensor context = compared("context", text);
  if (!model.is_sdxl()) return model.unet().prepare(context);
  return model.unet().prepare(context, compared("text_embeds", pooled), base.tensor("unet.added.time_ids"));
}

void run_file(const std::filesystem::path& path, const GoldenSet& set, Report& report) {
  const std::string file = path.stem().string(), folder = file.substr(0, file.find('_'));
  const std::string name = path.parent_path().filename().string() + "/" + file;
  const std::filesystem::path base_dir = path.parent_path().parent_path() / folder;
  const GoldenSet base(base_dir, "golden");

  const auto loras = std::make_shared<LoraStack>(
      std::vector<StackedLora>{{std::make_shared<const LoraFile>(path), set.json().value("strength", 1.0)}});
  const auto fp32 = ops::best_operations(at::kCPU, at::kFloat);
  const StableDiffusion model(with_loras(find_model_files(base_dir), loras), {fp32, fp32, fp32});
  const std::size_t strays = loras->unmatched(0).size() + loras->loras()[0].file->unknown().size();
  report.check(name + ".load", strays == 0, std::to_string(strays) + " tensors of the file are not used");

  const at::Tensor sample = base.tensor("unet.sample"), t = at::full({sample.size(0)}, 500.0, at::kFloat);
  const auto compare_unet = [&](const std::string& leaf, const UNetContext& context) {
    if (const std::string key = file + "." + leaf; set.has(key))
      report.compare(name + "." + leaf, model.unet().forward(sample, t, context), set.tensor(key),
                     set.bound(key, 1e-4));
  };
  compare_unet("unet_out.t500", recorded_context(model, base, set, file, name, report));
  const auto optional = [&](const char* key) { return base.has(key) ? base.tensor(key) : at::Tensor(); };
  compare_unet("unet_out_base_context.t500",
               model.unet().prepare(base.tensor("unet.encoder_hidden_states"),
                                    optional("unet.added.text_embeds"), optional("unet.added.time_ids")));

  const std::string run = file + ".txt2img";
  if (set.json()["cases"].contains(run)) run_pipeline_case(model, set, run, name + ".txt2img", report);
}

}  // namespace

void run_lora_cases(const std::filesystem::path& dir, Report& report) {
  const GoldenSet set(dir, "lora_golden");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir))
    if (entry.path().extension() == ".safetensors" && entry.path().stem() != "lora_golden")
      files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    try {
      run_file(file, set, report);
    } catch (const std::exception& error) {
      report.fail(dir.filename().string() + "/" + file.stem().string(), error.what());
    }
  }
}

}  // namespace waggle::golden
