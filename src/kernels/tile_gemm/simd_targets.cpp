// Compiled once for every instruction set (Highway's foreach_target). The register tile is in simd_microkernel-inl.hpp.

// Every x86 of interest has AVX2; leaving out the two sets below it halves this file's compile time. The baseline stays as
// the last resort.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)

#include "kernels/tile_gemm/simd.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_gemm/simd_targets.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_microkernel-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

using TileFunction = void (*)(const Tile&);

template <int MR, bool kBf16> TileFunction tile_function(std::int64_t vectors) {
  if constexpr (kVectors > 2) {
    if (vectors == 4) return multiply_tile<MR, 4, kBf16>;
    if (vectors == 3) return multiply_tile<MR, 3, kBf16>;
  }
  return vectors == 2 ? multiply_tile<MR, 2, kBf16> : multiply_tile<MR, 1, kBf16>;
}

template <bool kBf16> TileFunction tile_function(std::int64_t rows, std::int64_t vectors) {
  switch (rows) {
    case 6: return tile_function<6, kBf16>(vectors);
    case 4: return tile_function<4, kBf16>(vectors);
    case 2: return tile_function<2, kBf16>(vectors);
    default: return tile_function<1, kBf16>(vectors);
  }
}

// The next tile's rows: 6 while there are, then 4, 2, 1. Tiles of 5 and 3 rows would gain nothing: 4+1 and 2+1 cost the
// same multiply-adds.
HWY_INLINE std::int64_t next_rows(std::int64_t left) {
  if (left >= kRows) return kRows;
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

HWY_INLINE const std::byte* element(const void* base, DType type, std::int64_t index) {
  return static_cast<const std::byte*>(base) + index * static_cast<std::int64_t>(size_of(type));
}

// All rows of one panel: columns first … first + columns.
void run_panel(const SimdState& state, const Arguments& arguments, const float* b, std::int64_t first, std::int64_t columns) {
  const Settings& s = state.settings;
  const Epilogue& e = s.epilogue;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t vectors = (columns + lanes - 1) / lanes;
  // Without a scale the additions can come first, in the registers' starting values, and cost no pass of their own.
  const bool bias_first = e.bias && e.scale == Scale::none;
  const bool residual_first = e.residual && e.scale == Scale::none && e.residual_type == DType::f32;
  const bool in_registers = s.c == DType::f32 && e.scale == Scale::none && e.activation != Activation::gelu && (!e.residual || residual_first);
  HWY_ALIGN float sums[kRows * kVectors * kMaxLanes];

  for (std::int64_t m = 0, rows = 0; m < s.m; m += rows) {
    rows = next_rows(s.m - m);
    void* c = const_cast<std::byte*>(element(arguments.c, s.c, m * s.ldc + first));
    const void* residual = e.residual ? element(arguments.residual, e.residual_type, m * e.residual_ld + first) : nullptr;
    Tile tile{};
    tile.a = element(arguments.a, s.a, m * s.lda);
    tile.lda = s.lda;
    tile.a_step = s.a_step;
    tile.b = b;
    tile.b_step = state.packed_words;
    tile.k = s.k;
    tile.batch = s.batch;
    tile.bias = bias_first ? arguments.bias + first : nullptr;
    tile.residual = residual_first ? static_cast<const float*>(residual) : nullptr;
    tile.residual_ld = e.residual_ld;
    tile.old_c = s.accumulate ? static_cast<const float*>(c) : nullptr;
    tile.old_ld = s.ldc;
    tile.out = in_registers ? static_cast<float*>(c) : sums;
    tile.out_ld = in_registers ? s.ldc : vectors * lanes;
    tile.last = static_cast<std::size_t>(columns - (vectors - 1) * lanes);
    tile.activation = in_registers ? e.activation : Activation::none;
    (s.a == DType::bf16 ? tile_function<true>(rows, vectors) : tile_function<false>(rows, vectors))(tile);
    if (in_registers) continue;
    Finish finish;
    finish.epilogue = &e;
    finish.scale = e.scale == Scale::per_column ? arguments.scale + first : arguments.scale;
    finish.bias = e.bias && !bias_first ? arguments.bias + first : nullptr;
    finish.residual = residual_first ? nullptr : residual;
    finish.sums = sums;
    finish.sums_ld = vectors * lanes;
    finish.c = c;
    finish.c_type = s.c;
    finish.ldc = s.ldc;
    finish.rows = rows;
    finish.columns = columns;
    finish_tile(finish);
  }
}

void run_settings(const SimdState& state, const Arguments& arguments) {
  const auto* b = static_cast<const float*>(arguments.packed_b);
  const std::int64_t panel = state.target.panel;
  for (std::int64_t p = 0; p < state.full_panels; ++p) run_panel(state, arguments, b + p * state.rows * panel, p * panel, panel);
  if (state.tail_columns > 0) {
    run_panel(state, arguments, b + state.full_panels * state.rows * panel, state.full_panels * panel, state.tail_columns);
  }
}

void gelu_all(const float* from, float* to, std::int64_t count) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t i = 0; i < count; i += lanes) {
    const auto part = static_cast<std::size_t>(count - i < lanes ? count - i : lanes);
    store_part(gelu(load_part(from + i, part)), to + i, part);
  }
}

SimdTarget simd_target() {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  return {lanes, kVectors * lanes, run_settings, finish_tile, gelu_all};
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels::tile_gemm {

HWY_EXPORT(simd_target);

SimdTarget best_simd_target() { return HWY_DYNAMIC_DISPATCH(simd_target)(); }

}  // namespace edgelab::kernels::tile_gemm
#endif
