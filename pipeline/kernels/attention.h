// Attention without the score matrix, in bf16 on AVX512-BF16.
//
// Scores exist for six queries and 256 keys at a time; the running maximum and sum of each row are corrected
// as tiles go by. Source: Dao et al. 2022, algorithm 1 (online softmax: Milakov and Gimelshein 2018). Raw
// pointers, no torch: these files are compiled for a processor that the rest of the program may not have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace waggle::pipeline::kernels {

using bf16_bits = std::uint16_t;

/// One head. **Unit**: strides in elements between tokens.
struct AttentionHead {
  std::int64_t queries, keys, width;  ///< width: channels of the head, even
  std::int64_t q_stride, k_stride, v_stride, out_stride;
};

/// Elements that the packed keys and values of a head take.
std::size_t packed_keys_size(std::int64_t keys, std::int64_t width);
std::size_t packed_values_size(std::int64_t keys, std::int64_t width);
/// Bytes of scratch that one thread needs for attend().
std::size_t attention_scratch_bytes(std::int64_t width);

/// Rearranges keys into blocks of 16, channel pairs side by side; keys past the last are zeros.
void pack_keys(const bf16_bits* k, const AttentionHead& head, bf16_bits* packed);
/// Rearranges values into key pairs, channels padded to 16 with zeros.
void pack_values(const bf16_bits* v, const AttentionHead& head, bf16_bits* packed);

/// softmax(q k^T scale) v for queries [first, last). **Errors**: none; sums are fp32, probabilities are
/// rounded to bf16 before they meet the values. **Threads**: any number on disjoint ranges, each with its own
/// scratch (64-byte aligned).
void attend(const bf16_bits* q, const bf16_bits* packed_k, const bf16_bits* packed_v,
            const AttentionHead& head, float scale, std::int64_t first, std::int64_t last, bf16_bits* out,
            void* scratch);

}  // namespace waggle::pipeline::kernels
