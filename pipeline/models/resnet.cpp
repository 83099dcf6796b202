// Residual block.
#include "pipeline/models/resnet.h"

namespace waggle::pipeline {

ResnetBlock::ResnetBlock(const Builder& build, std::int64_t in, std::int64_t out, std::int64_t time_width,
                         int groups, double eps)
    : norm1_(build.group_norm("norm1", in, groups, eps)),
      conv1_(build.convolution("conv1", in, out)),
      norm2_(build.group_norm("norm2", out, groups, eps)),
      conv2_(build.convolution("conv2", out, out)) {
  if (time_width > 0) time_emb_proj_ = build.linear("time_emb_proj", time_width, out);
  if (in != out) conv_shortcut_ = build.convolution("conv_shortcut", in, out, 1);
}

at::Tensor ResnetBlock::forward(const at::Tensor& x, const at::Tensor& time, SharedMoments* moments) const {
  const auto normalised = [moments](const GroupNorm& norm, const at::Tensor& input) {
    return moments == nullptr ? norm.then_silu(input) : moments->then_silu(norm, input);
  };
  at::Tensor h = conv1_(normalised(norm1_, x));
  if (time_emb_proj_)
    h = h + (*time_emb_proj_)(time).unsqueeze(-1).unsqueeze(-1);  // [B, out] -> [B, out, 1, 1]
  h = normalised(norm2_, h);
  return conv2_(h, conv_shortcut_ ? (*conv_shortcut_)(x) : x);
}

}  // namespace waggle::pipeline
