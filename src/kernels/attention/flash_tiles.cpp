#include "kernels/attention/flash_tiles.hpp"

#include <algorithm>

#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

namespace edgelab::kernels::flash {

// Found by trying, one core of a Zen 4, heads of 64, f32: nothing between 24 and 48 rows differs by more than 3 %, but rows are
// best a whole number of the microkernels' 6 (33, which cuts 197 evenly, cost 2.5 % more). One pass pays as long as the tile
// of scores stays in L2 beside the keys; at 577 tokens it took 0.95 of the time of tiles of 256 keys, at 1024 as long, and
// beyond that blocks of 512 keys are as good and bound the memory.
Tiling tiling_of(const AttentionProblem& problem) {
  constexpr std::int64_t kRows = 36, kOnePass = 1088, kKeys = 512, kTilesABand = 5;
  Tiling tiling;
  tiling.rows = std::min(kRows, problem.queries);
  tiling.keys = problem.tokens <= kOnePass ? problem.tokens : kKeys;
  tiling.band = problem.tokens <= kOnePass ? tiling.rows : kTilesABand * kRows;
  return tiling;
}

namespace {

// In f32 Highway's tiles are as fast as oneDNN's and their calls cheaper (no allocation, no argument checks): attention at 197
// tokens took 0.97 of the time. bf16 is oneDNN's where it has instructions for it.
tile_gemm::Kernel kernel_for(const tile_gemm::Settings& settings) {
  if (settings.a == DType::f32) {
    tile_gemm::check(settings);
    return tile_gemm::make_simd(settings);
  }
  return (settings.a == DType::u8 ? tile_gemm::choose_for_layers(settings, this_machine()) : tile_gemm::choose(settings)).kernel;
}

}  // namespace

void ProductSet::make(const tile_gemm::Settings& settings, Sizes m, std::int64_t tile_gemm::Settings::*sized, Sizes size) {
  m_ = m;
  size_ = size;
  for (const int rest : {0, 1}) {
    for (const int part : {0, 1}) {
      tile_gemm::Settings s = settings;
      s.m = rest == 0 ? m.whole : m.rest;
      s.*sized = part == 0 ? size.whole : size.rest;
      if (s.m == 0 || s.*sized == 0) continue;
      const tile_gemm::Kernel& kernel = kernels_[rest][part] = kernel_for(s);
      packed_bytes_ = std::max(packed_bytes_, kernel.packed_bytes());
      scratch_bytes_ = std::max(scratch_bytes_, kernel.scratch_bytes());
    }
  }
}

}  // namespace edgelab::kernels::flash
