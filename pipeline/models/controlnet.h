// ControlNet (Zhang, Rao and Agrawala 2023): a trained copy of the UNet's down path that looks at a picture
// (edges, depth, a pose) and says what to add to the UNet's skip connections.
//
// Named as diffusers' ControlNetModel names its parts. Scales, time windows and sums over several ControlNets
// are pipeline/engine/control.h.
#pragma once

#include <memory>
#include <vector>

#include "pipeline/models/model_files.h"
#include "pipeline/models/unet.h"

namespace waggle::pipeline {

class ControlNet {
 public:
  /// Throws LoadError naming key or tensor.
  ControlNet(const Builder& build, const Config& config);

  /// What the picture becomes, once per job. **Shape**: picture [B, 3, H, W] in 0..1 -> [B, C, h, w].
  [[nodiscard]] at::Tensor embed(const at::Tensor& picture) const;
  /// As UNet::prepare.
  [[nodiscard]] UNetContext prepare(const at::Tensor& text, const at::Tensor& pooled = {},
                                    const at::Tensor& sizes = {}) const;
  /// Residuals at scale 1. **Shape**: sample [B, 4, h, w] as the UNet gets it, without inpainting channels; t
  /// [B]; embedded [B, C, h, w] from embed().
  /// **Source**: golden `controlnet_golden`, `t*.down.*`, `t*.mid`.
  [[nodiscard]] Residuals forward(const at::Tensor& sample, const at::Tensor& t, const UNetContext& context,
                                  const at::Tensor& embedded) const;

  /// Whether its residuals and its conditioning are those of this UNet.
  [[nodiscard]] bool fits(const UNetConfig& unet) const;

 private:
  UNetConfig config_;
  const ops::Operations* ops_;
  UNetDown down_;
  std::vector<Convolution> embedding_;
  std::vector<Convolution> skips_;
  Convolution mid_;
};

/// `operations` is kept alive by the result. Throws LoadError; also when tensors of the file are left over.
std::shared_ptr<const ControlNet> load_controlnet(const PartFiles& files,
                                                  std::shared_ptr<const ops::Operations> operations);

}  // namespace waggle::pipeline
