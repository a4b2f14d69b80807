#include "kernels/conv2d/pointwise.hpp"

#include <algorithm>

#include "kernels/aligned.hpp"
#include "kernels/caches.hpp"
#include "kernels/tile_gemm/simd.hpp"

namespace edgelab::kernels {
namespace {

// Pixels of a block, for its operands to stay in L2.
std::int64_t most_rows(std::int64_t inputs) { return std::clamp<std::int64_t>((std::int64_t{1} << 17) / inputs, 32, 256); }

tile_gemm::TiledProduct tiles_for(const PointwiseSettings& s, int threads, const Machine& machine) {
  tile_gemm::Settings whole;
  whole.m = s.pixels, whole.n = whole.ldc = s.outputs, whole.k = whole.lda = s.inputs;
  whole.a = whole.b = s.compute;
  whole.epilogue = s.epilogue;
  whole.past_cache = goes_past_caches(s.pixels * s.outputs * 4);
  const auto parts_of = [](std::int64_t total, std::int64_t most) { return (total + most - 1) / most; };
  if (s.outputs > s.pixels) {
    const std::int64_t columns = std::min<std::int64_t>(64, tile_gemm::equal_blocks(s.outputs, threads, 16).size);
    return {whole, s.pixels, columns, machine};
  }
  const std::int64_t bands = threads * parts_of(s.pixels, threads * most_rows(s.inputs));
  return {whole, tile_gemm::equal_blocks(s.pixels, bands).size, tile_gemm::equal_blocks(s.outputs, parts_of(s.outputs, 64), 16).size, machine};
}

}  // namespace

PointwiseProduct::PointwiseProduct(const PointwiseSettings& settings, int threads, const Machine& machine)
    : settings_(settings), threads_(threads), tiles_(tiles_for(settings, threads, machine)) {}

std::size_t PointwiseProduct::rounded_weight_bytes() const {
  return rounds() ? aligned(static_cast<std::size_t>(settings_.inputs * settings_.outputs) * sizeof(std::uint16_t)) : 0;
}
std::size_t PointwiseProduct::weight_bytes() const {
  return settings_.constant_weight ? 0 : aligned(tiles_.packed_bytes()) + rounded_weight_bytes();
}
std::size_t PointwiseProduct::aligned_tiles() const { return aligned(tiles_.scratch_bytes()); }
std::size_t PointwiseProduct::aligned_band() const {
  return rounds() ? aligned(static_cast<std::size_t>(tiles_.rows().size * settings_.inputs) * sizeof(std::uint16_t)) : 0;
}

const std::byte* PointwiseProduct::packed_weight(const Member& member, const Memory& memory) const {
  if (settings_.constant_weight) return memory.packed;
  const void* weight = memory.weight;
  if (rounds()) {
    auto* halves = reinterpret_cast<std::uint16_t*>(memory.scratch + aligned(tiles_.packed_bytes()));
    const Member::Part part = member.part(settings_.inputs * settings_.outputs, 64);
    tile_gemm::best_simd_target().round(memory.weight + part.begin, halves + part.begin, part.size());
    member.barrier();
    weight = halves;
  }
  const tile_gemm::PlainB plain{weight, settings_.by_outputs ? settings_.inputs : settings_.outputs, settings_.by_outputs};
  const Member::Part blocks = member.part(tiles_.columns().count());
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) tiles_.pack(plain, block, memory.scratch);
  member.barrier();
  return memory.scratch;
}

void PointwiseProduct::run(const Member& member, const Memory& memory) const {
  std::byte* own = memory.scratch + weight_bytes() + static_cast<std::size_t>(member.index()) * own_bytes();
  tile_gemm::Arguments arguments;
  arguments.packed_b = packed_weight(member, memory);
  arguments.bias = memory.bias;
  arguments.scratch = own;
  const tile_gemm::Blocks &rows = tiles_.rows(), &columns = tiles_.columns();
  const Member::Part part = member.part(rows.count() * columns.count());
  std::int64_t rounded = -1;
  for (std::int64_t at = part.begin; at < part.end; ++at) {
    const std::int64_t row = at / columns.count(), column = at % columns.count();
    const float* x = memory.x + rows.begin(row) * settings_.inputs;
    arguments.a = x;
    if (rounds()) {
      auto* halves = reinterpret_cast<std::uint16_t*>(own + aligned_tiles());
      if (rounded != row) tile_gemm::best_simd_target().round(x, halves, rows.extent(row) * settings_.inputs);
      rounded = row;
      arguments.a = halves;
    }
    const bool looks_ahead = !rounds() && column == 0 && row + 1 < rows.count();
    arguments.ahead = looks_ahead ? memory.x + rows.begin(row + 1) * settings_.inputs : nullptr;
    arguments.ahead_bytes = looks_ahead ? rows.extent(row + 1) * settings_.inputs * 4 : 0;
    const std::int64_t out = rows.begin(row) * settings_.outputs + columns.begin(column);
    arguments.c = memory.y + out;
    arguments.residual = memory.residual == nullptr ? nullptr : memory.residual + out;
    tiles_.run(row, column, arguments);
  }
}

std::string tile_detail(std::string_view kind, std::string_view implementation, DType operands, const Machine& machine) {
  const std::string text = std::string(kind) + ":" + std::string(implementation);
  const std::string_view emulation = tile_gemm::emulation(operands, implementation, machine);
  return emulation.empty() ? text : text + " (" + std::string(emulation) + ")";
}

}  // namespace edgelab::kernels
