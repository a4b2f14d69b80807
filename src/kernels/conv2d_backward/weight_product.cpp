#include "kernels/conv2d_backward/weight_product.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels {
namespace {

// Of pixels. 128, whose panels of 64 channels fit L1, took 5 % longer: more often sums go through memory.
constexpr std::int64_t kMostPixels = 256;

tile_gemm::Blocks blocks_of(std::int64_t pixels, int threads) {
  const std::int64_t parts = threads * ((pixels + threads * kMostPixels - 1) / (threads * kMostPixels));
  return tile_gemm::equal_blocks(pixels, parts);
}

tile_gemm::TiledProduct product(std::int64_t m, std::int64_t n, std::int64_t k, const Machine& machine) {
  tile_gemm::Settings settings;
  settings.m = settings.lda = m, settings.n = settings.ldc = n, settings.k = k;
  settings.transposed_a = settings.accumulate = true;
  return {settings, m, n, machine};
}

// Rounded to bf16, back in f32; `halves` is as long.
void round_through_bf16(const float* from, float* to, std::uint16_t* halves, std::int64_t count) {
  tile_gemm::best_simd_target().round(from, halves, count);
  for (std::int64_t i = 0; i < count; ++i) to[i] = bf16_to_float(halves[i]);
}

}  // namespace

WeightProduct::WeightProduct(std::int64_t pixels, std::int64_t outputs, std::int64_t inputs, DType compute, int threads, const Machine& machine)
    : outputs_(outputs), inputs_(inputs), rounds_(compute == DType::bf16), blocks_(blocks_of(pixels, threads)), chunks_{blocks_.count(), threads} {
  full_ = product(rows(), columns(), blocks_.extent(0), machine);
  last_ = product(rows(), columns(), blocks_.extent(blocks_.count() - 1), machine);
}

std::size_t WeightProduct::sums_bytes() const { return aligned(static_cast<std::size_t>(outputs_ * inputs_) * sizeof(float)); }

// Packed operand, the tiles' scratch, and in bf16 both operands rounded.
std::size_t WeightProduct::own_bytes() const {
  const auto values = static_cast<std::size_t>(blocks_.extent(0) * (outputs_ + inputs_));
  const std::size_t rounded = rounds_ ? aligned(values * sizeof(float)) + aligned(values * sizeof(std::uint16_t)) : 0;
  return aligned(full_.packed_bytes()) + aligned(full_.scratch_bytes()) + rounded;
}

void WeightProduct::add_block(std::int64_t block, const float* narrow, const float* wide, float* sums, std::byte* own) const {
  const tile_gemm::TiledProduct& product = block + 1 == blocks_.count() ? last_ : full_;
  const std::int64_t pixels = blocks_.extent(block);
  narrow += blocks_.begin(block) * rows();
  wide += blocks_.begin(block) * columns();
  std::byte* free = own + aligned(full_.packed_bytes());
  tile_gemm::Arguments arguments;
  arguments.scratch = free;
  free += aligned(full_.scratch_bytes());
  const float* wide_as_it_lies = wide;
  if (rounds_) {
    auto* values = reinterpret_cast<float*>(free);
    auto* halves = reinterpret_cast<std::uint16_t*>(free + aligned(static_cast<std::size_t>(blocks_.extent(0) * (outputs_ + inputs_)) * sizeof(float)));
    round_through_bf16(narrow, values, halves, pixels * rows());
    round_through_bf16(wide, values + pixels * rows(), halves, pixels * columns());
    narrow = values;
    wide = values + pixels * rows();
  }
  product.pack({wide, columns(), false}, 0, own);
  arguments.a = narrow;
  arguments.packed_b = own;
  arguments.c = sums;
  if (block + 1 < blocks_.count()) {
    arguments.ahead = wide_as_it_lies + pixels * columns();
    arguments.ahead_bytes = blocks_.extent(block + 1) * columns() * 4;
  }
  product.run(0, 0, arguments);
}

void WeightProduct::run(const Member& member, const float* x, const float* dy, float* dw, std::byte* scratch) const {
  chunks_.each(member, [&](std::int64_t chunk, std::int64_t first, std::int64_t size) {
    std::byte* own = scratch + static_cast<std::size_t>(chunks_.count) * sums_bytes() + static_cast<std::size_t>(chunk) * own_bytes();
    float* sums = reinterpret_cast<float*>(scratch + static_cast<std::size_t>(chunk) * sums_bytes());
    std::fill_n(sums, outputs_ * inputs_, 0.0f);
    for (std::int64_t block = first; block < first + size; ++block) add_block(block, by_inputs() ? dy : x, by_inputs() ? x : dy, sums, own);
  });
  member.barrier();
  const auto step = static_cast<std::int64_t>(sums_bytes() / sizeof(float));
  join_sums(member, reinterpret_cast<float*>(scratch), chunks_.count, step, outputs_ * inputs_, [&](std::int64_t i, float total) {
    dw[by_inputs() ? i : i % outputs_ * inputs_ + i / outputs_] = total;
  });
}

}  // namespace edgelab::kernels
