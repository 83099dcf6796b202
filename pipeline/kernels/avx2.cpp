// The kernels in fp32 on AVX2 with FMA. Compiled for that processor.
#include "pipeline/kernels/attention_of_format.h"
#include "pipeline/kernels/formats.h"
#include "pipeline/kernels/lanes_avx2.h"
#include "pipeline/kernels/norms_of_format.h"
#include "pipeline/kernels/sets.h"

namespace waggle::pipeline::kernels {

constinit const Kernels<float> kAvx2{NormsOf<Fp32<Avx2>>::kTable, AttentionOf<Fp32<Avx2>>::kTable};

}  // namespace waggle::pipeline::kernels
