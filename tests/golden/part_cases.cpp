// Golden cases of a model's parts: tokens, text encoders, UNet with its probes, VAE.
#include <cctype>
#include <map>

#include <ATen/Functions.h>

#include "tests/golden/cases.h"

namespace waggle::golden {
namespace {

using pipeline::StableDiffusion;

class Parts {
 public:
  Parts(const StableDiffusion& model, const GoldenSet& set, const std::string& name, Report& report)
      : model_(model), set_(set), name_(name), report_(report) {}

  void tokens(std::size_t encoder) {
    const std::string key = suffixed("tokens", encoder) + ".input_ids";
    if (!set_.has(key)) return;
    const at::Tensor expected = set_.tensor(key).to(at::kLong);
    const auto& tokenizer = model_.tokenizers()[encoder];
    at::Tensor actual = at::zeros_like(expected);
    for (std::int64_t row = 0; row < expected.size(0); ++row) {
      const auto ids =
          tokenizer.encode_padded(set_.json()["prompts"][static_cast<std::size_t>(row)].get<std::string>(),
                                  static_cast<std::size_t>(expected.size(1)));
      for (std::int64_t i = 0; i < expected.size(1); ++i) actual[row][i] = ids[static_cast<std::size_t>(i)];
    }
    report_.compare(name_ + "/" + key, actual, expected, 0.0);
  }

  void text(std::size_t encoder) {
    const std::string ids = suffixed("tokens", encoder) + ".input_ids",
                      part = suffixed("text_encoder", encoder) + ".";
    if (!set_.has(ids)) return;
    const auto& text = model_.text_encoders()[encoder];
    const auto states = text.forward(set_.tensor(ids).to(at::kLong));
    const auto see = [&](const std::string& leaf, const at::Tensor& actual) {
      if (!set_.has(part + leaf) || !actual.defined()) return;
      const at::Tensor expected = set_.tensor(part + leaf);
      compare(part + leaf, actual.narrow(0, 0, expected.size(0)), 5e-5);
    };
    see("last_hidden_state", states.last);
    see("penultimate", states.hidden[states.hidden.size() - 2]);
    see("penultimate_final_ln", text.skipped(states, 1));
    see("pooler_output", states.pooled);
    see("text_embeds", states.projected);
  }

  void unet() {
    if (!set_.has("unet.sample")) return;
    const auto& unet = model_.unet();
    const auto optional = [&](const char* key) { return set_.has(key) ? set_.tensor(key) : at::Tensor(); };
    const auto context = unet.prepare(set_.tensor("unet.encoder_hidden_states"),
                                      optional("unet.added.text_embeds"), optional("unet.added.time_ids"));
    for (const auto& [key, entry] : set_.json()["tensors"].items()) {
      const bool odd = key.starts_with("unet.out_odd.t");
      if (!odd && !key.starts_with("unet.out.t")) continue;
      const at::Tensor sample = set_.tensor(odd ? "unet.sample_odd" : "unet.sample");
      const double t = std::stod(key.substr(key.find(".t") + 2));
      std::map<std::string, at::Tensor> seen;
      const auto out = unet.forward(sample, at::full({sample.size(0)}, t, at::kFloat), context, {},
                                    [&](const std::string& part, const at::Tensor& x) { seen[part] = x; });
      compare(key, out, 1e-4);
      if (!odd) probes(key.substr(key.find(".t") + 1), seen);
    }
  }

  void vae() {
    if (set_.has("vae.latents"))
      compare("vae.decode",
              model_.vae_decoder().forward(set_.tensor("vae.latents") / model_.vae_config().scaling_factor),
              5e-5);
    if (!set_.has("vae.image")) return;
    const auto posterior = model_.encode_image(set_.tensor("vae.image"));
    compare("vae.encode.mean", posterior.mean, 1e-3);
    compare("vae.encode.logvar", posterior.logvar, 1e-3);
    compare("vae.encode.std", posterior.std, 1e-3);
  }

 private:
  static std::string suffixed(const std::string& name, std::size_t encoder) {
    return encoder == 0 ? name : name + "_" + std::to_string(encoder + 1);
  }
  void compare(const std::string& key, const at::Tensor& actual, double otherwise) {
    report_.compare(name_ + "/" + key, actual, set_.tensor(key), set_.bound(key, otherwise));
  }
  void probes(const std::string& t, const std::map<std::string, at::Tensor>& seen) {
    for (const auto& [part, output] : seen)
      if (const std::string key = "unet.probe." + t + "." + part; set_.has(key))
        compare(key, output.narrow(0, 0, 1), 1e-4);
  }

  const StableDiffusion& model_;
  const GoldenSet& set_;
  std::string name_;
  Report& report_;
};

}  // namespace

void run_part_cases(const StableDiffusion& model, const GoldenSet& set, const std::string& name,
                    Report& report) {
  Parts parts(model, set, name, report);
  for (std::size_t encoder = 0; encoder < model.text_encoders().size(); ++encoder) {
    parts.tokens(encoder);
    parts.text(encoder);
  }
  parts.unet();
  parts.vae();
}

}  // namespace waggle::golden
