#include "kernels/cuda/block.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/tiles/attention_tile.hpp"

namespace edgelab::kernels::cuda {
namespace {

template <Multiply kMultiply, int kHeadWidth>
__global__ void __launch_bounds__(AttentionTile<kMultiply, kHeadWidth>::kThreads) attention_kernel(const AttentionArguments arguments) {
  extern __shared__ std::byte shared[];
  DeviceBlock block(shared);
  AttentionTile<kMultiply, kHeadWidth>::run(block, arguments);
}

template <Multiply kMultiply, int kHeadWidth> void launch(const AttentionArguments& p) {
  using Tile = AttentionTile<kMultiply, kHeadWidth>;
  const dim3 grid(blocks_for(p.queries, Tile::kQueries), static_cast<unsigned>(p.samples * p.heads));
  launch_tile(attention_kernel<kMultiply, kHeadWidth>, grid, Tile::kThreads, Tile::kSharedBytes, p, "attention");
}

template <Multiply kMultiply> void launch(const AttentionArguments& p) {
  p.head_width == 32 ? launch<kMultiply, 32>(p) : launch<kMultiply, 64>(p);
}

}  // namespace

void launch_attention(const AttentionArguments& p) {
  switch (p.multiply) {
    case Multiply::f32: return launch<Multiply::f32>(p);
    case Multiply::tf32: return launch<Multiply::tf32>(p);
    case Multiply::bf16: return launch<Multiply::bf16>(p);
  }
}

}  // namespace edgelab::kernels::cuda
