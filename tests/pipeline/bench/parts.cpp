// UNet, VAE decoder and text encoders of the published configurations.
#include "tests/pipeline/bench/parts.h"

#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "pipeline/models/clip_text.h"
#include "pipeline/models/family_configs.h"
#include "pipeline/models/unet.h"
#include "pipeline/models/vae.h"
#include "pipeline/weights/random_weights.h"
#include "tests/pipeline/bench/random_model.h"

namespace waggle::bench {
namespace {

using namespace pipeline;

Work vae_work(const Options& o, const Builder& build, const FamilyConfigs& configs) {
  const auto decoder = std::make_shared<VaeDecoder>(build, VaeConfig::from(configs.vae));
  const at::Tensor latents = at::randn({1, 4, o.height / 8, o.width / 8});
  return [=] { return decoder->forward(latents); };
}

Work text_work(const Options& o, const Builder& build, const FamilyConfigs& configs) {
  std::vector<std::pair<std::shared_ptr<ClipText>, at::Tensor>> encoders;
  for (const Config& json : configs.text_encoders) {
    const ClipTextConfig config = ClipTextConfig::from(json);
    encoders.emplace_back(std::make_shared<ClipText>(build, config),
                          at::randint(config.vocabulary, {o.batch, config.positions}, at::kLong));
  }
  return [=] {
    std::vector<at::Tensor> states;
    for (const auto& [encoder, ids] : encoders) states.push_back(encoder->forward(ids).last.to(at::kFloat));
    return at::cat(states, -1);
  };
}

Work unet_work(const Options& o, const Builder& build, const FamilyConfigs& configs) {
  const UNetConfig config = UNetConfig::from(configs.unet);
  const auto unet = std::make_shared<UNet>(build, config);
  const at::Tensor sample = at::randn({o.batch, 4, o.height / 8, o.width / 8}),
                   text = at::randn({o.batch, 77, config.context_width});
  const bool sized = config.added_width > 0;
  const auto context = std::make_shared<UNetContext>(unet->prepare(
      text, sized ? at::randn({o.batch, config.added_width - 6 * config.added_time_width}) : at::Tensor(),
      sized ? at::full({o.batch, 6}, 1024.0) : at::Tensor()));
  const at::Tensor t = at::full({o.batch}, 500.0);
  return [=] { return unet->forward(sample, t, *context); };
}

}  // namespace

Work make_work(const Options& options, const std::shared_ptr<const ops::Operations>& operations) {
  const FamilyConfigs configs = family_configs(kind_of(options.model));
  RandomWeights weights;
  const Builder build(weights, *operations);
  at::manual_seed(11);
  const Work work = options.part == "vae"    ? vae_work(options, build, configs)
                    : options.part == "text" ? text_work(options, build, configs)
                                             : unet_work(options, build, configs);
  return [work, operations] { return work(); };  // the modules hold no share of their operations
}

}  // namespace waggle::bench
