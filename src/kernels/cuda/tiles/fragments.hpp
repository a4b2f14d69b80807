#pragma once

#include "kernels/cuda/tiles/numbers.hpp"

// Which element of a small matrix each thread of a warp holds in each register, for the tensor cores' products
//   C[16, 8] += A[16, K] · B[K, 8],  K = 16 in bf16 (two numbers a register), K = 8 in tf32
// as the PTX ISA lays down for mma.sync.m16n8k16 and m16n8k8. `lane`: 0 to 31, `i`: the register.
namespace edgelab::kernels::cuda::fragment {

// The element of C in register i of four.
EDGELAB_HOST_DEVICE constexpr int c_row(int lane, int i) { return lane / 4 + 8 * (i / 2); }
EDGELAB_HOST_DEVICE constexpr int c_column(int lane, int i) { return lane % 4 * 2 + i % 2; }

// The row of A in register i of four, and the first of its two columns (bf16) or its column (tf32).
EDGELAB_HOST_DEVICE constexpr int a_row(int lane, int i) { return lane / 4 + 8 * (i % 2); }
EDGELAB_HOST_DEVICE constexpr int a_column_bf16(int lane, int i) { return lane % 4 * 2 + 8 * (i / 2); }
EDGELAB_HOST_DEVICE constexpr int a_column_tf32(int lane, int i) { return lane % 4 + 4 * (i / 2); }

// The column of B in both registers, and the first of its two rows (bf16) or its row (tf32).
EDGELAB_HOST_DEVICE constexpr int b_column(int lane) { return lane / 4; }
EDGELAB_HOST_DEVICE constexpr int b_row_bf16(int lane, int i) { return lane % 4 * 2 + 8 * i; }
EDGELAB_HOST_DEVICE constexpr int b_row_tf32(int lane, int i) { return lane % 4 + 4 * i; }

// Operands as shared memory holds them, and how many columns of A one product takes.
template <Multiply kMultiply> struct Operand {
  using Stored = float;
  static constexpr int kDepth = 8;
  static constexpr int kPadding = 4;  // elements behind a row, so that the eight rows of a fragment lie in different banks
  EDGELAB_HOST_DEVICE static Stored stored(float value) { return value; }
};
template <> struct Operand<Multiply::bf16> {
  using Stored = std::uint16_t;
  static constexpr int kDepth = 16;
  static constexpr int kPadding = 8;
  EDGELAB_HOST_DEVICE static Stored stored(float value) { return to_bf16(value); }
};

// A's and B's registers of one thread. In fp32 each operand is the sum of two tf32 numbers, `high` and what that leaves, `low`: three
// of their four products give fp32's accuracy but for the last bits (Markidis et al. 2018, "NVIDIA Tensor Core Programmability").
struct A {
  std::uint32_t high[4], low[4];
};
struct B {
  std::uint32_t high[2], low[2];
};

template <Multiply kMultiply> EDGELAB_HOST_DEVICE inline void split(float value, std::uint32_t& high, std::uint32_t& low) {
  const float rounded = to_tf32(value);
  high = bits_of(rounded);
  const float rest = value - rounded;  // NaN for infinities, of which nothing is left
  low = kMultiply == Multiply::f32 && rest == rest ? bits_of(to_tf32(rest)) : 0;
}

// From row-major `a` and `b` in shared memory: A's first element at a[0]; b holds B's columns as rows, as a weight lies.
template <Multiply kMultiply> EDGELAB_HOST_DEVICE inline A load_a(int lane, const typename Operand<kMultiply>::Stored* a, int ld) {
  A registers{};
  EDGELAB_UNROLL
  for (int i = 0; i < 4; ++i) {
    const auto* row = a + a_row(lane, i) * ld;
    if constexpr (kMultiply == Multiply::bf16) {
      const int column = a_column_bf16(lane, i);
      registers.high[i] = pair_of(row[column], row[column + 1]);
    } else {
      split<kMultiply>(row[a_column_tf32(lane, i)], registers.high[i], registers.low[i]);
    }
  }
  return registers;
}
template <Multiply kMultiply> EDGELAB_HOST_DEVICE inline B load_b(int lane, const typename Operand<kMultiply>::Stored* b, int ld) {
  B registers{};
  EDGELAB_UNROLL
  for (int i = 0; i < 2; ++i) {
    const auto* row = b + b_column(lane) * ld;
    if constexpr (kMultiply == Multiply::bf16) {
      const int column = b_row_bf16(lane, i);
      registers.high[i] = pair_of(row[column], row[column + 1]);
    } else {
      split<kMultiply>(row[b_row_tf32(lane, i)], registers.high[i], registers.low[i]);
    }
  }
  return registers;
}

}  // namespace edgelab::kernels::cuda::fragment
