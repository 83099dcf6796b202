// Golden cases of a ControlNet: what it adds to its base model's UNet, the UNet's answer to it, whole runs.
#include <ATen/Functions.h>

#include "pipeline/engine/control.h"
#include "pipeline/models/controlnet_files.h"
#include "pipeline/models/model_files.h"
#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

using namespace pipeline;

class Parts {
 public:
  Parts(const StableDiffusion& model, std::shared_ptr<const ControlNet> net, const GoldenSet& set,
        const std::string& name, Report& report)
      : model_(model), net_(std::move(net)), set_(set), name_(name), report_(report) {}

  void run() {
    for (const auto& [key, entry] : set_.json()["tensors"].items()) {
      if (key.starts_with("t") && key.ends_with(".down.0")) residuals(key.substr(0, key.find('.')));
      if (key.starts_with("t") && key.ends_with("_guess.mid")) guess(key.substr(0, key.find('.')));
      if (key.starts_with("unet_out.t")) unet(key);
    }
  }

 private:
  /// All residuals at "t500" with the given scale, through the same sum that a run makes.
  Residuals ask(const std::string& t, double scale, bool guess_mode) const {
    const at::Tensor sample = set_.tensor("sample"), text = set_.tensor("encoder_hidden_states");
    const at::Tensor picture = set_.tensor("control_image").permute({2, 0, 1}).unsqueeze(0);
    const Control control{net_, net_->embed(picture), scale, 0.0, 1.0, guess_mode};
    std::vector<ControlledRow> rows(static_cast<std::size_t>(sample.size(0)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const auto conditioning = std::make_shared<Conditioning>();
      conditioning->positive = text.narrow(0, row, 1);
      rows[i].context.conditioning = conditioning;
      rows[i].latents = sample.narrow(0, row, 1);
      rows[i].t = std::stod(t.substr(1));
      rows[i].controls = {&control};
    }
    ContextCache cache;
    return control_residuals(rows, cache);
  }

  void residuals(const std::string& t) {
    const Residuals got = ask(t, 1.0, false);
    for (std::size_t i = 0; i < got.skips.size(); ++i)
      compare(t + ".down." + std::to_string(i), got.skips[i]);
    compare(t + ".mid", got.mid);
  }

  /// Of the skips only the standard deviation is kept.
  void guess(const std::string& t) {
    const Residuals got = ask(t.substr(0, t.find('_')), 1.0, true);
    for (std::size_t i = 0; i < got.skips.size(); ++i)
      compare(t + ".down." + std::to_string(i) + ".std", at::std(got.skips[i]));
    compare(t + ".mid", got.mid);
  }

  /// "unet_out.t500.scale0.7"
  void unet(const std::string& key) {
    const auto t = key.find(".t") + 1, scale = key.find(".scale");
    const std::string time = key.substr(t, scale - t);
    const Residuals added = ask(time, std::stod(key.substr(scale + 6)), false);
    const at::Tensor sample = set_.tensor("sample");
    compare(key,
            model_.unet().forward(sample, at::full({sample.size(0)}, std::stod(time.substr(1)), at::kFloat),
                                  model_.unet().prepare(set_.tensor("encoder_hidden_states")), added));
  }

  void compare(const std::string& key, const at::Tensor& actual) {
    report_.compare(name_ + "/" + key, actual, set_.tensor(key), set_.bound(key, 1e-4));
  }

  const StableDiffusion& model_;
  std::shared_ptr<const ControlNet> net_;
  const GoldenSet& set_;
  std::string name_;
  Report& report_;
};

}  // namespace

void run_controlnet_cases(const std::filesystem::path& dir, Report& report) {
  const std::string name = dir.filename().string();
  try {
    const auto fp32 = ops::best_operations(at::kCPU, at::kFloat);
    const GoldenSet set(dir, "controlnet_golden");
    const StableDiffusion model(find_model_files(dir / set.json()["base_model"].get<std::string>()),
                                {fp32, fp32, fp32});
    const auto net = load_controlnet(find_controlnet_files(dir), fp32);
    report.check(name + "/fits", net->fits(model.unet().config()), "it was made for another base model");
    Parts(model, net, set, name, report).run();
    run_pipeline_cases(model, set, name, report, net);
  } catch (const std::exception& error) {
    report.fail(name + "/load", error.what());
  }
}

}  // namespace waggle::golden
