#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/cuda/tiles/fragments.hpp"

namespace edgelab::kernels::cuda {

// A block of threads on the host: the code of kernels/cuda/tiles runs on it as on the device's block (kernels/cuda/block.cuh). Between
// two barriers the threads run one after the other, forwards or backwards; a kernel whose answer depends on which has a race.
class EmulatedBlock {
 public:
  template <class T> class PerThread {
   public:
    PerThread() : values_(kMostThreads) {}
    T& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }

   private:
    std::vector<T> values_;
  };

  EmulatedBlock(int x, int y, int threads, int shared_bytes, bool backwards)
      : x_(x), y_(y), threads_(threads), backwards_(backwards), shared_(static_cast<std::size_t>(shared_bytes), std::byte{0xFF}) {}

  int x() const { return x_; }
  int y() const { return y_; }
  std::byte* shared() { return shared_.data(); }

  template <class Body> void each(Body body) {
    for (int i = 0; i < threads_; ++i) body(backwards_ ? threads_ - 1 - i : i);
  }
  void barrier() {}

  template <class At> void warp_sum(At at) { over_groups<1>(32, at, [](float a, float b) { return a + b; }); }
  template <int kNumbers, class At> void quad_sum(At at) { over_groups<kNumbers>(4, at, [](float a, float b) { return a + b; }); }
  template <int kNumbers, class At> void quad_maximum(At at) { over_groups<kNumbers>(4, at, [](float a, float b) { return std::max(a, b); }); }

  // What the PTX ISA says of mma.sync.m16n8k16 (bf16) and m16n8k8 (tf32), section "Matrix Fragments": groupID and threadID_in_group as
  // there. Written down apart from kernels/cuda/tiles/fragments.hpp, which it checks.
  template <Multiply kMultiply, class C, class A, class B> void multiply(C c, A a, B b) {
    for (int warp = 0; warp < threads_ / 32; ++warp) {
      if constexpr (kMultiply == Multiply::f32) {
        multiply_warp<Multiply::tf32>(warp, c, [&](int t) { return a(t)->low; }, [&](int t) { return b(t)->high; });
        multiply_warp<Multiply::tf32>(warp, c, [&](int t) { return a(t)->high; }, [&](int t) { return b(t)->low; });
      }
      constexpr Multiply kOnce = kMultiply == Multiply::bf16 ? Multiply::bf16 : Multiply::tf32;
      multiply_warp<kOnce>(warp, c, [&](int t) { return a(t)->high; }, [&](int t) { return b(t)->high; });
    }
  }

 private:
  static constexpr std::size_t kMostThreads = 128;

  template <int kNumbers, class At, class Join> void over_groups(int size, At at, Join join) {
    for (int first = 0; first < threads_; first += size) {
      for (int i = 0; i < kNumbers; ++i) {
        float joined = at(first)[i];
        for (int thread = first + 1; thread < first + size; ++thread) joined = join(joined, at(thread)[i]);
        for (int thread = first; thread < first + size; ++thread) at(thread)[i] = joined;
      }
    }
  }

  // Element `e` of register `i`; the tensor core reads 19 bits of a tf32 operand.
  template <Multiply kMultiply> static double number(std::uint32_t bits, int e) {
    if constexpr (kMultiply == Multiply::bf16) return from_bf16(static_cast<std::uint16_t>(bits >> (16 * e)));
    return float_of(bits & ~0x1FFFu);
  }

  template <Multiply kMultiply, class C, class A, class B> static void multiply_warp(int warp, C c, A a, B b) {
    constexpr int kPacked = kMultiply == Multiply::bf16 ? 2 : 1, kDepth = 8 * kPacked;
    double left[16][kDepth], right[kDepth][8];
    for (int lane = 0; lane < 32; ++lane) {
      const int thread = 32 * warp + lane, group_id = lane >> 2, in_group = lane & 3;
      for (int i = 0; i < 4; ++i) {
        const int row = i == 0 || i == 2 ? group_id : group_id + 8;
        for (int e = 0; e < kPacked; ++e) {
          const int column = in_group * kPacked + e + (i >= 2 ? kDepth / 2 : 0);
          left[row][column] = number<kMultiply>(a(thread)[i], e);
        }
      }
      for (int i = 0; i < 2; ++i) {
        for (int e = 0; e < kPacked; ++e) right[in_group * kPacked + e + i * kDepth / 2][group_id] = number<kMultiply>(b(thread)[i], e);
      }
    }
    for (int lane = 0; lane < 32; ++lane) {
      const int group_id = lane >> 2, in_group = lane & 3;
      for (int i = 0; i < 4; ++i) {
        const int row = i < 2 ? group_id : group_id + 8, column = in_group * 2 + (i & 1);
        double sum = 0.0;
        for (int k = 0; k < kDepth; ++k) sum += left[row][k] * right[k][column];
        c(32 * warp + lane)[i] += static_cast<float>(sum);
      }
    }
  }

  int x_, y_, threads_;
  bool backwards_;
  std::vector<std::byte> shared_;
};

// The kernel `Tile` over a grid of x by y blocks.
template <class Tile, class Arguments> void emulate(int x, int y, int shared_bytes, const Arguments& arguments, bool backwards = false) {
  for (int block = 0; block < x * y; ++block) {
    EmulatedBlock emulated(block % x, block / x, Tile::kThreads, shared_bytes, backwards);
    Tile::run(emulated, arguments);
  }
}

}  // namespace edgelab::kernels::cuda
