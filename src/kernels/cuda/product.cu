#include "kernels/cuda/block.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/layer_norm_rows.hpp"
#include "kernels/cuda/tiles/product_tile.hpp"

namespace edgelab::kernels::cuda {
namespace {

template <Multiply kMultiply> __global__ void __launch_bounds__(ProductTile<kMultiply>::kThreads) product_kernel(const ProductArguments arguments) {
  extern __shared__ std::byte shared[];
  DeviceBlock block(shared);
  ProductTile<kMultiply>::run(block, arguments);
}

__global__ void __launch_bounds__(LayerNormRows::kThreads) layer_norm_kernel(const LayerNormArguments arguments) {
  DeviceBlock block(nullptr);
  LayerNormRows::run(block, arguments);
}

template <Multiply kMultiply> void launch(const ProductArguments& p) {
  using Tile = ProductTile<kMultiply>;
  launch_tile(product_kernel<kMultiply>, dim3(blocks_for(p.m, Tile::kRows), blocks_for(p.n, Tile::kColumns)), Tile::kThreads, Tile::kSharedBytes, p, "product");
}

}  // namespace

void launch_product(const ProductArguments& p) {
  switch (p.multiply) {
    case Multiply::f32: return launch<Multiply::f32>(p);
    case Multiply::tf32: return launch<Multiply::tf32>(p);
    case Multiply::bf16: return launch<Multiply::bf16>(p);
  }
}

void launch_layer_norm(const LayerNormArguments& p) {
  launch_tile(layer_norm_kernel, dim3(blocks_for(p.rows, LayerNormRows::kRows)), LayerNormRows::kThreads, 0, p, "layer_norm");
}

}  // namespace edgelab::kernels::cuda
