#pragma once

#include <cuda_runtime.h>

#include <string>

#include "kernels/cuda/arguments.hpp"

namespace edgelab::kernels::cuda {

// Throws Error (environment) with CUDA's own words.
void check(cudaError_t code, const char* what);

// Blocks for the kernels in tiles/: as many as the arguments need, on the calling thread's stream.
void launch_product(const ProductArguments& arguments);
void launch_layer_norm(const LayerNormArguments& arguments);
void launch_attention(const AttentionArguments& arguments);
// Of the kernels in tiles/elements.hpp.
template <class Arguments> void launch_elements(const Arguments& arguments);

// Raises the kernel's limit of shared memory where it needs more than the 48 KB that all may have, and starts it.
template <class Kernel, class Arguments>
void launch_tile(Kernel kernel, dim3 grid, int threads, int shared_bytes, const Arguments& arguments, const char* name) {
  if (shared_bytes > 48 * 1024) check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes), name);
  kernel<<<grid, static_cast<unsigned>(threads), static_cast<std::size_t>(shared_bytes), cudaStreamPerThread>>>(arguments);
  check(cudaGetLastError(), name);
}

constexpr unsigned blocks_for(std::int64_t items, std::int64_t a_block) { return static_cast<unsigned>((items + a_block - 1) / a_block); }

}  // namespace edgelab::kernels::cuda
