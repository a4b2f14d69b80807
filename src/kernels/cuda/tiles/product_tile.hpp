#pragma once

#include "kernels/cuda/tiles/fragments.hpp"

namespace edgelab::kernels::cuda {

// One block's part of a product (ProductArguments): 64 rows by 64 columns, by four warps of 32 by 32, on tensor cores. Block (x, y) of
// the grid has the rows from 64 x on, of which there may be millions, and the columns from 64 y on. `Block` is the device's (block.cuh) or the tests' emulation of it.
template <Multiply kMultiply> class ProductTile {
  using Operand = fragment::Operand<kMultiply>;
  using Stored = typename Operand::Stored;

 public:
  static constexpr int kThreads = 128, kRows = 64, kColumns = 64, kDepth = 32;
  static constexpr int kLd = kDepth + Operand::kPadding;
  static constexpr int kSharedBytes = (kRows + kColumns) * kLd * static_cast<int>(sizeof(Stored));

  template <class Block> EDGELAB_HOST_DEVICE static void run(Block& block, const ProductArguments& p) {
    auto* x = reinterpret_cast<Stored*>(block.shared());
    Stored* w = x + kRows * kLd;
    const std::int64_t first_row = static_cast<std::int64_t>(block.x()) * kRows, first_column = static_cast<std::int64_t>(block.y()) * kColumns;
    typename Block::template PerThread<Sums> sums;
    typename Block::template PerThread<Fragments> fragments;
    block.each([&](int thread) { sums[thread] = Sums{}; });
    for (std::int64_t k = 0; k < p.k; k += kDepth) {
      block.each([&](int thread) { fill(p, x, w, first_row, first_column, k, thread); });
      block.barrier();
      EDGELAB_UNROLL
      for (int depth = 0; depth < kDepth; depth += Operand::kDepth) {
        block.each([&](int thread) { load_fragments(fragments[thread], x + depth, w + depth, thread); });
        EDGELAB_UNROLL
        for (int i = 0; i < kRowFragments; ++i) {
          EDGELAB_UNROLL
          for (int j = 0; j < kColumnFragments; ++j) {
            block.template multiply<kMultiply>([&](int thread) { return sums[thread].c[i][j]; }, [&](int thread) { return fragments[thread].a + i; },
                                               [&](int thread) { return fragments[thread].b + j; });
          }
        }
      }
      block.barrier();
    }
    block.each([&](int thread) { finish(p, sums[thread], first_row, first_column, thread); });
  }

 private:
  static constexpr int kRowFragments = 2, kColumnFragments = 4;  // of 16 rows and 8 columns, in a warp's 32 by 32
  struct Sums {
    float c[kRowFragments][kColumnFragments][4];
  };
  struct Fragments {
    fragment::A a[kRowFragments];
    fragment::B b[kColumnFragments];
  };

  // Four neighbours a thread at a time; zeros beyond the matrices.
  EDGELAB_HOST_DEVICE static void fill(const ProductArguments& p, Stored* x, Stored* w, std::int64_t first_row, std::int64_t first_column, std::int64_t k,
                                       int thread) {
    constexpr Element kWeight = kMultiply == Multiply::bf16 ? Element::bf16 : Element::f32;
    EDGELAB_UNROLL
    for (int i = 0; i < kRows * kDepth / 4 / kThreads; ++i) {
      const int chunk = thread + i * kThreads, row = chunk / (kDepth / 4), column = chunk % (kDepth / 4) * 4;
      EDGELAB_UNROLL
      for (int e = 0; e < 4; ++e) {
        const std::int64_t at = k + column + e;
        const bool in_x = first_row + row < p.m && at < p.k, in_w = first_column + row < p.n && at < p.k;
        x[row * kLd + column + e] = Operand::stored(in_x ? load(p.x, (first_row + row) * p.k + at) : 0.0f);
        w[row * kLd + column + e] = Operand::stored(in_w ? load({p.w, kWeight}, (first_column + row) * p.k + at) : 0.0f);
      }
    }
  }

  EDGELAB_HOST_DEVICE static void load_fragments(Fragments& own, const Stored* x, const Stored* w, int thread) {
    const int lane = thread % 32, warp = thread / 32;
    EDGELAB_UNROLL
    for (int i = 0; i < kRowFragments; ++i) own.a[i] = fragment::load_a<kMultiply>(lane, x + (warp / 2 * 32 + 16 * i) * kLd, kLd);
    EDGELAB_UNROLL
    for (int j = 0; j < kColumnFragments; ++j) own.b[j] = fragment::load_b<kMultiply>(lane, w + (warp % 2 * 32 + 8 * j) * kLd, kLd);
  }

  EDGELAB_HOST_DEVICE static void finish(const ProductArguments& p, const Sums& sums, std::int64_t first_row, std::int64_t first_column, int thread) {
    const int lane = thread % 32, warp = thread / 32;
    EDGELAB_UNROLL
    for (int i = 0; i < kRowFragments; ++i) {
      EDGELAB_UNROLL
      for (int j = 0; j < kColumnFragments; ++j) {
        EDGELAB_UNROLL
        for (int r = 0; r < 4; ++r) {
          const std::int64_t m = first_row + warp / 2 * 32 + 16 * i + fragment::c_row(lane, r);
          const std::int64_t n = first_column + warp % 2 * 32 + 8 * j + fragment::c_column(lane, r);
          if (m >= p.m || n >= p.n) continue;
          float value = activated(p.activation, sums.c[i][j][r] + (p.bias != nullptr ? p.bias[n] : 0.0f));
          if (p.residual != nullptr) value += p.residual[row_of(p.residual_rows, m) * p.n + n];
          store(p.y, row_of(p.y_rows, m) * p.n + n, value);
        }
      }
    }
  }
};

}  // namespace edgelab::kernels::cuda
