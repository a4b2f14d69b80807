#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/tiles/fragments.hpp"

namespace edgelab::kernels::cuda {

// A block of threads of the device, as the code in tiles/ sees it. What runs only there is cut out of the host's half of each function.
class DeviceBlock {
 public:
  template <class T> struct PerThread {
    T value;
    EDGELAB_HOST_DEVICE T& operator[](int) { return value; }
  };

  EDGELAB_HOST_DEVICE explicit DeviceBlock(std::byte* shared) : shared_(shared) {}

  EDGELAB_HOST_DEVICE std::byte* shared() const { return shared_; }
  EDGELAB_HOST_DEVICE int x() const {
#ifdef __CUDA_ARCH__
    return static_cast<int>(blockIdx.x);
#else
    return 0;
#endif
  }
  EDGELAB_HOST_DEVICE int y() const {
#ifdef __CUDA_ARCH__
    return static_cast<int>(blockIdx.y);
#else
    return 0;
#endif
  }
  EDGELAB_HOST_DEVICE static int thread() {
#ifdef __CUDA_ARCH__
    return static_cast<int>(threadIdx.x);
#else
    return 0;
#endif
  }

  template <class Body> EDGELAB_HOST_DEVICE void each(Body body) { body(thread()); }
  EDGELAB_HOST_DEVICE void barrier() {
#ifdef __CUDA_ARCH__
    __syncthreads();
#endif
  }

  // Each number becomes the sum over the 32 threads of a warp; over the four that share a row of a fragment of C.
  template <class At> EDGELAB_HOST_DEVICE void warp_sum(At at) {
    [[maybe_unused]] float* number = at(thread());
#ifdef __CUDA_ARCH__
    for (int step = 16; step > 0; step /= 2) *number += __shfl_xor_sync(0xFFFFFFFFu, *number, step);
#endif
  }
  template <int kNumbers, class At> EDGELAB_HOST_DEVICE void quad_sum(At at) {
    [[maybe_unused]] float* numbers = at(thread());
#ifdef __CUDA_ARCH__
    EDGELAB_UNROLL
    for (int i = 0; i < kNumbers; ++i) {
      for (int step = 2; step > 0; step /= 2) numbers[i] += __shfl_xor_sync(0xFFFFFFFFu, numbers[i], step);
    }
#endif
  }
  template <int kNumbers, class At> EDGELAB_HOST_DEVICE void quad_maximum(At at) {
    [[maybe_unused]] float* numbers = at(thread());
#ifdef __CUDA_ARCH__
    EDGELAB_UNROLL
    for (int i = 0; i < kNumbers; ++i) {
      for (int step = 2; step > 0; step /= 2) numbers[i] = fmaxf(numbers[i], __shfl_xor_sync(0xFFFFFFFFu, numbers[i], step));
    }
#endif
  }

  // C += A · B, by each warp for itself. In fp32 the smallest products first.
  template <Multiply kMultiply, class C, class A, class B> EDGELAB_HOST_DEVICE void multiply(C c, A a, B b) {
    [[maybe_unused]] float* sums = c(thread());
    [[maybe_unused]] const fragment::A* left = a(thread());
    [[maybe_unused]] const fragment::B* right = b(thread());
#ifdef __CUDA_ARCH__
    if constexpr (kMultiply == Multiply::bf16) {
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                   : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                   : "r"(left->high[0]), "r"(left->high[1]), "r"(left->high[2]), "r"(left->high[3]), "r"(right->high[0]), "r"(right->high[1]));
    } else {
      if constexpr (kMultiply == Multiply::f32) {
        multiply_tf32(sums, left->low, right->high);
        multiply_tf32(sums, left->high, right->low);
      }
      multiply_tf32(sums, left->high, right->high);
    }
#endif
  }

 private:
  EDGELAB_HOST_DEVICE static void multiply_tf32([[maybe_unused]] float* c, [[maybe_unused]] const std::uint32_t* a, [[maybe_unused]] const std::uint32_t* b) {
#ifdef __CUDA_ARCH__
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
  }

  std::byte* shared_;
};

}  // namespace edgelab::kernels::cuda
