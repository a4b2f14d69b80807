#include <algorithm>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/elements.hpp"

namespace edgelab::kernels::cuda {
namespace {

constexpr unsigned kThreads = 256, kMostBlocks = 1u << 20;

template <class Arguments> __global__ void __launch_bounds__(kThreads) elements_kernel(const Arguments arguments) {
  const std::int64_t all = count(arguments), step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < all; i += step) compute(arguments, i);
}

}  // namespace

template <class Arguments> void launch_elements(const Arguments& arguments) {
  const unsigned blocks = static_cast<unsigned>(std::min<std::int64_t>((count(arguments) + kThreads - 1) / kThreads, kMostBlocks));
  elements_kernel<<<blocks, kThreads, 0, cudaStreamPerThread>>>(arguments);
  check(cudaGetLastError(), "elements");
}

template void launch_elements(const DirectConvolutionArguments&);
template void launch_elements(const DepthwiseArguments&);
template void launch_elements(const ElementwiseArguments&);
template void launch_elements(const PatchRowsArguments&);
template void launch_elements(const RowCopyArguments&);
template void launch_elements(const AveragePoolArguments&);
template void launch_elements(const TransposeArguments&);

}  // namespace edgelab::kernels::cuda
