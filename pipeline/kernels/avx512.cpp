// The kernels in fp32 on AVX-512. Compiled for that processor.
#include "pipeline/kernels/attention_of_format.h"
#include "pipeline/kernels/formats.h"
#include "pipeline/kernels/lanes_avx512.h"
#include "pipeline/kernels/norms_of_format.h"
#include "pipeline/kernels/sets.h"

namespace waggle::pipeline::kernels {

constinit const Kernels<float> kAvx512{NormsOf<Fp32<Avx512>>::kTable, AttentionOf<Fp32<Avx512>>::kTable};

}  // namespace waggle::pipeline::kernels
