// Attention without the score matrix, as functions that a processor chose.
//
// Scores exist for six queries and some hundred keys at a time; the running maximum and sum of each row are
// corrected as tiles go by. Source: Dao et al. 2022, algorithm 1 (online softmax: Milakov and Gimelshein
// 2018). Raw pointers, no torch: the implementations are compiled for processors that the rest of the program
// may not have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace waggle::pipeline::kernels {

/// One head. **Unit**: strides in elements between tokens.
struct AttentionHead {
  std::int64_t queries, keys, width;  ///< width: channels of the head, a multiple of `depth`
  std::int64_t q_stride, k_stride, v_stride, out_stride;
};

template <class Element>
struct AttentionKernels {
  std::int64_t depth;  ///< elements that one instruction multiplies along a row: 1, or 2 in bf16

  /// Elements that the packed keys and values of a head take.
  std::size_t (*packed_keys_size)(std::int64_t keys, std::int64_t width);
  std::size_t (*packed_values_size)(std::int64_t keys, std::int64_t width);
  /// Bytes of scratch that one thread needs for attend().
  std::size_t (*scratch_bytes)(std::int64_t width);

  /// Rearranges keys into blocks of as many as a register holds, channel by channel; keys past the last are
  /// zeros.
  void (*pack_keys)(const Element* k, const AttentionHead& head, Element* packed);
  /// Rearranges values row by row, channels padded to whole registers with zeros.
  void (*pack_values)(const Element* v, const AttentionHead& head, Element* packed);

  /// softmax(q k^T scale) v for queries [first, last). **Errors**: none; sums are fp32, probabilities are
  /// rounded to Element before they meet the values. **Threads**: any number on disjoint ranges, each with
  /// its own scratch (64-byte aligned).
  void (*attend)(const Element* q, const Element* packed_k, const Element* packed_v,
                 const AttentionHead& head, float scale, std::int64_t first, std::int64_t last, Element* out,
                 void* scratch);
};

}  // namespace waggle::pipeline::kernels
