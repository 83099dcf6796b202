// Every sampler, one function and one file each. The table that names them is registry.h.
//
// Each runs from the walk's first step to its end, asks the network once per evaluation and yields the
// latents after each. x: [1, C, h, w] fp32, at the level of the first evaluation. The value returned is the
// clean latents.
#pragma once

#include <ATen/core/Tensor.h>

#include "pipeline/samplers/context.h"
#include "pipeline/samplers/coroutine.h"

namespace waggle::pipeline {

SamplerCoroutine ddim(SamplerContext s, at::Tensor x);
SamplerCoroutine ddpm(SamplerContext s, at::Tensor x);
SamplerCoroutine pndm(SamplerContext s, at::Tensor x);
SamplerCoroutine lms(SamplerContext s, at::Tensor x);
SamplerCoroutine euler(SamplerContext s, at::Tensor x);
SamplerCoroutine euler_ancestral(SamplerContext s, at::Tensor x);
SamplerCoroutine heun(SamplerContext s, at::Tensor x);
SamplerCoroutine dpm2(SamplerContext s, at::Tensor x);
SamplerCoroutine dpm2_ancestral(SamplerContext s, at::Tensor x);
SamplerCoroutine dpm_solver(SamplerContext s, at::Tensor x);
SamplerCoroutine dpmpp_multistep(SamplerContext s, at::Tensor x);
SamplerCoroutine dpmpp_singlestep(SamplerContext s, at::Tensor x);
SamplerCoroutine dpmpp_2s_ancestral(SamplerContext s, at::Tensor x);
SamplerCoroutine dpmpp_sde(SamplerContext s, at::Tensor x);
SamplerCoroutine dpmpp_sde_multistep(SamplerContext s, at::Tensor x);
SamplerCoroutine unipc(SamplerContext s, at::Tensor x);
SamplerCoroutine deis(SamplerContext s, at::Tensor x);
SamplerCoroutine lcm(SamplerContext s, at::Tensor x);
SamplerCoroutine tcd(SamplerContext s, at::Tensor x);

}  // namespace waggle::pipeline
