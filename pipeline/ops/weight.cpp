// Memory of weights, and their conversion.
#include "pipeline/ops/weight.h"

#include <algorithm>
#include <new>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <sys/mman.h>

#include "pipeline/kernels/convert.h"
#include "pipeline/kernels/cpu_features.h"

namespace waggle::pipeline::ops {
namespace {

/// Files hold fp16 more often than anything else: that one at the speed of memory.
void convert(const at::Tensor& from, const at::Tensor& to) {
#if defined(WAGGLE_AVX512_KERNELS)
  if (from.scalar_type() == at::kHalf && to.scalar_type() == at::kBFloat16 && from.is_contiguous() &&
      kernels::has_avx512_bf16()) {
    const auto* x = static_cast<const std::uint16_t*>(from.data_ptr());
    auto* y = static_cast<std::uint16_t*>(to.data_ptr());
    at::parallel_for(0, from.numel(), 16 * 1024, [&](std::int64_t first, std::int64_t last) {
      kernels::half_to_bfloat16(x + first, last - first, y + first);
    });
    return;
  }
#endif
  to.copy_(from);
}

}  // namespace

at::Tensor Weight::in(const WeightForm& form, const FillWeight& fill) const {
  if (keeper_ != nullptr) return keeper_->keep(name_, form, fill);
  at::Tensor room = weight_memory(form);
  fill(room);
  return room;
}

at::Tensor Weight::as(at::ScalarType type) const {
  if (!stored_.defined()) return stored_;
  if (keeper_ == nullptr && stored_.scalar_type() == type && stored_.is_contiguous()) return stored_;
  return in({toString(type), stored_.sizes().vec(), type},
            [&](const at::Tensor& room) { convert(stored_, room); });
}

at::Tensor weight_memory(const WeightForm& form) {
  constexpr std::size_t kOwnFrom = 64 << 10;  // below, whole pages would be waste
  constexpr std::size_t kHugePage = 2 << 20;
  const auto options = at::TensorOptions().dtype(form.type);
  std::size_t bytes = c10::elementSize(form.type);
  for (const std::int64_t size : form.sizes) bytes *= static_cast<std::size_t>(size);
  if (bytes < kOwnFrom) return at::empty(form.sizes, options);
  void* room = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (bytes >= 2 * kHugePage) ::madvise(room, bytes, MADV_HUGEPAGE);
#endif
  return at::from_blob(
      room, form.sizes, [bytes](void* memory) { ::munmap(memory, bytes); }, options);
}

at::Tensor converted(const at::Tensor& stored, at::ScalarType type) {
  if (stored.scalar_type() == type) return stored.contiguous();
  at::Tensor out = at::empty(stored.sizes(), stored.options().dtype(type));
  convert(stored, out);
  return out;
}

}  // namespace waggle::pipeline::ops
