// The kernels in bf16 on AMX: attention and products by its tiles, the norms as on AVX512-BF16. Compiled for
// that processor.
#include "pipeline/kernels/attention_amx.h"
#include "pipeline/kernels/format_bf16.h"
#include "pipeline/kernels/norms_of_format.h"
#include "pipeline/kernels/products_amx.h"
#include "pipeline/kernels/sets.h"

namespace waggle::pipeline::kernels {

constinit const Kernels<bf16_bits> kAmxBf16{NormsOf<Bf16>::kTable, AttentionAmx::kTable};
constinit const ProductKernels kAmxProducts = ProductsAmx::kTable;

}  // namespace waggle::pipeline::kernels
