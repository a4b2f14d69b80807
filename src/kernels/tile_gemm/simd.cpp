#include "kernels/tile_gemm/simd.hpp"

#include <algorithm>
#include <cstring>

#include "core/tensor.hpp"
#include "kernels/tile_gemm/implementations.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

SimdState state_of(const Settings& settings) {
  SimdState state;
  state.settings = settings;
  state.target = best_simd_target();
  state.rows = settings.b == DType::bf16 ? (settings.k + 1) / 2 : settings.k;
  state.full_panels = settings.n / state.target.panel;
  state.tail_columns = settings.n % state.target.panel;
  state.tail_width = round_up(state.tail_columns, state.target.lanes);
  const std::int64_t words = state.rows * (state.full_panels * state.target.panel + state.tail_width);
  state.packed_words = round_up(words, static_cast<std::int64_t>(kAlignment / sizeof(float)));
  return state;
}

struct F32Words {
  const float* data;
  std::int64_t row_step, column_step;
  float word(std::int64_t row, std::int64_t column) const { return data[row * row_step + column * column_step]; }
};

struct Bf16Words {
  const std::uint16_t* data;
  std::int64_t row_step, column_step, k;
  std::uint32_t word(std::int64_t row, std::int64_t column) const {
    const std::uint16_t* pair = data + 2 * row * row_step + column * column_step;
    const std::uint32_t second = 2 * row + 1 < k ? pair[row_step] : 0u;
    return pair[0] | (second << 16);
  }
};

template <class Word, class Source> void pack_words(const SimdState& state, const Source& source, Word* to) {
  const auto pack_panel = [&](std::int64_t first, std::int64_t columns, std::int64_t width) {
    for (std::int64_t row = 0; row < state.rows; ++row, to += width) {
      for (std::int64_t column = 0; column < columns; ++column) to[column] = source.word(row, first + column);
      std::fill(to + columns, to + width, Word{});
    }
  };
  for (std::int64_t p = 0; p < state.full_panels; ++p) pack_panel(p * state.target.panel, state.target.panel, state.target.panel);
  if (state.tail_columns > 0) pack_panel(state.full_panels * state.target.panel, state.tail_columns, state.tail_width);
}

void pack(const void* opaque, const PlainB& b, void* packed) noexcept {
  const SimdState& state = *static_cast<const SimdState*>(opaque);
  const std::int64_t row_step = b.transposed ? 1 : b.ld;
  const std::int64_t column_step = b.transposed ? b.ld : 1;
  if (state.settings.b == DType::f32) {
    pack_words(state, F32Words{static_cast<const float*>(b.data), row_step, column_step}, static_cast<float*>(packed));
  } else {
    pack_words(state, Bf16Words{static_cast<const std::uint16_t*>(b.data), row_step, column_step, state.settings.k},
               static_cast<std::uint32_t*>(packed));
  }
}

void run(const void* opaque, const Arguments& arguments) noexcept {
  const SimdState& state = *static_cast<const SimdState*>(opaque);
  state.target.run(state, arguments);
}

}  // namespace

std::optional<std::string> simd_refuses(const Settings& settings, const Machine&) {
  if (sum_type(settings) == DType::s32) return "its integer products are not built; oneDNN has them on x86, the reference everywhere";
  return std::nullopt;
}

Kernel make_simd(const Settings& settings) {
  auto state = std::make_shared<const SimdState>(state_of(settings));
  const auto bytes = static_cast<std::size_t>(state->packed_words) * sizeof(float);
  return {{run, pack}, std::move(state), bytes, 0};
}

}  // namespace edgelab::kernels::tile_gemm
