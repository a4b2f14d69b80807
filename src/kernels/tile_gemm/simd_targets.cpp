// Compiled once for every instruction set (Highway's foreach_target). The register tile is in simd_microkernel-inl.hpp.

#include "kernels/simd_targets.hpp"

#include <algorithm>
#include <iterator>

#include "kernels/tile_gemm/simd.hpp"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_gemm/simd_targets.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "kernels/tile_gemm/simd_microkernel-inl.hpp"
#include "kernels/tile_gemm/simd_pack-inl.hpp"
#include "kernels/vector_math/past_cache-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace vm = vector_math::HWY_NAMESPACE;

using TileFunction = void (*)(const Tile& panel, std::int64_t first, std::int64_t tiles);

template <int MR, Products kProducts> TileFunction tile_function(std::int64_t vectors) {
  if constexpr (kVectors > 2) {
    if (vectors == 4) return multiply_tiles<MR, 4, kProducts>;
    if (vectors == 3) return multiply_tiles<MR, 3, kProducts>;
  }
  return vectors == 2 ? multiply_tiles<MR, 2, kProducts> : multiply_tiles<MR, 1, kProducts>;
}

template <Products kProducts> TileFunction tile_function(std::int64_t rows, std::int64_t vectors) {
  switch (rows) {
    case 6: return tile_function<most_rows(kProducts), kProducts>(vectors);
    case 4: return tile_function<4, kProducts>(vectors);
    case 2: return tile_function<2, kProducts>(vectors);
    default: return tile_function<1, kProducts>(vectors);
  }
}

#if EDGELAB_HALF_VECTORS
template <Products kProducts> TileFunction half_function(std::int64_t rows) {
  switch (rows) {
    case 6: return multiply_tiles<6, 2, kProducts, true>;
    case 4: return multiply_tiles<4, 2, kProducts, true>;
    case 2: return multiply_tiles<2, 2, kProducts, true>;
    default: return multiply_tiles<1, 2, kProducts, true>;
  }
}
#endif

// `pairs`: no byte of B is −128, so that Arm may add products of 16 bits.
Products products_of_bytes(const SimdState& state, [[maybe_unused]] bool pairs) {
  if (state.target.byte_quads) return Products::byte_quads;
#if EDGELAB_NEON
  if (pairs) return Products::byte_pairs;
#endif
  return Products::quads_in_s16;
}

TileFunction byte_function([[maybe_unused]] Products products, std::int64_t rows, std::int64_t vectors) {
#if EDGELAB_VNNI || EDGELAB_NEON
  if (products == Products::byte_quads) return tile_function<Products::byte_quads>(rows, vectors);
#endif
#if EDGELAB_NEON
  if (products == Products::byte_pairs) return tile_function<Products::byte_pairs>(rows, vectors);
#endif
  return tile_function<Products::quads_in_s16>(rows, vectors);
}

TileFunction tile_function(const SimdState& state, Products bytes, std::int64_t rows, std::int64_t columns) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t vectors = (columns + lanes - 1) / lanes;
  if (state.settings.a == DType::u8) return byte_function(bytes, rows, vectors);
#if EDGELAB_HALF_VECTORS
  if (vectors == 2 && columns <= lanes + lanes / 2) {
    if (state.settings.transposed_a && state.settings.a == DType::f32) return half_function<Products::f32_transposed_a>(rows);
    if (state.settings.a == DType::f32) return half_function<Products::f32>(rows);
#if EDGELAB_BF16_PAIRS == 2
    if (state.target.bf16_pairs) return half_function<Products::bf16_pairs>(rows);
#endif
  }
#endif
  if (state.settings.transposed_a && state.settings.a == DType::f32) return tile_function<Products::f32_transposed_a>(rows, vectors);
  if (state.settings.a == DType::f32) return tile_function<Products::f32>(rows, vectors);
#if EDGELAB_BF16_PAIRS
  if (state.target.bf16_pairs) return tile_function<Products::bf16_pairs>(rows, vectors);
#endif
  return tile_function<Products::bf16_in_f32>(rows, vectors);
}

// The next tile's rows: 6 while there are, then 4, 2, 1. Tiles of 5 and 3 rows would gain nothing: 4+1 and 2+1 cost the
// same multiply-adds. `most`: 6, or 4 where registers are short.
HWY_INLINE std::int64_t next_rows(std::int64_t left, std::int64_t most) {
  if (left >= most) return most;
  return left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

HWY_INLINE const std::byte* element(const void* base, DType type, std::int64_t index) {
  return static_cast<const std::byte*>(base) + index * static_cast<std::int64_t>(size_of(type));
}

// Whether sums of integers need no more than their registers to become C.
HWY_INLINE bool whole_in_registers(const Settings& s) {
  const Epilogue& e = s.epilogue;
  return s.c == DType::s32 || (s.c == DType::u8 && !e.bias && e.activation == Activation::none && (!e.residual || e.residual_type == DType::u8));
}

// The words of a panel's columns, or zeros for null, up to whole vectors.
HWY_INLINE void whole_vectors(const float* from, std::int64_t columns, float* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (int v = 0; v < kVectors && v * lanes < columns; ++v) {
    const auto count = static_cast<std::size_t>(std::min(lanes, columns - v * lanes));
    hn::Store(from == nullptr ? hn::Zero(D()) : load_part(from + v * lanes, count), D(), to + v * lanes);
  }
}

// All rows of one panel: columns first … first + columns.
void run_panel(const SimdState& state, const Arguments& arguments, const float* b, std::int64_t first, std::int64_t columns) {
  const Settings& s = state.settings;
  const Epilogue& e = s.epilogue;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t vectors = (columns + lanes - 1) / lanes;
  // Without a scale the additions can come first, in the registers' starting values, and cost no pass of their own.
  const bool whole = s.a == DType::u8;
  const bool bias_first = e.bias && e.scale == Scale::none && !whole;
  const bool residual_first = e.residual && e.scale == Scale::none && e.residual_type == DType::f32 && !whole;
  const bool in_registers =
      whole ? whole_in_registers(s) : e.scale == Scale::none && e.activation != Activation::gelu && (!e.residual || residual_first);
  const bool bytes = in_registers && s.c == DType::u8;
  const bool narrow = in_registers && s.c == DType::bf16;
  const std::int64_t panel_bytes = state.rows * vectors * lanes * 4;
  const bool natively = narrow && narrows_natively();
  HWY_ALIGN float sums[kRows * kVectors * kMaxLanes];
  HWY_ALIGN float begin[kVectors * kMaxLanes];
  HWY_ALIGN float scale[kVectors * kMaxLanes];
  whole_vectors(bias_first ? arguments.bias + first : whole && e.offset ? reinterpret_cast<const float*>(arguments.offset + first) : nullptr, columns, begin);
  bool pairs = false;
#if EDGELAB_NEON
  if (whole) pairs = begin_panel(static_cast<const float*>(arguments.packed_b), state, first, vectors, begin);
#endif
  if (bytes && e.scale == Scale::per_column) whole_vectors(arguments.scale + first, columns, scale);
  if (bytes && e.scale == Scale::one) std::fill(std::begin(scale), std::end(scale), arguments.scale[0]);
  const Products bytes_by = products_of_bytes(state, pairs);
  const std::int64_t most = whole ? most_rows(bytes_by) : kRows;

  Tile tile{};
  tile.a = arguments.a;
  tile.row_bytes = s.transposed_a ? 4 : s.lda * static_cast<std::int64_t>(size_of(s.a));  // transposed: a word
  tile.lda = s.lda;
  tile.pair_row = s.transposed_a ? 2 : s.lda;
  tile.pair_step = s.transposed_a ? 2 * s.lda : 2;
  tile.whole_pairs = s.transposed_a ? (s.k + 1) / 2 : s.k / 2;
  tile.a_step = s.a_step;
  tile.b = b;
  tile.b_step = state.packed_words;
  tile.k = s.k;
  tile.batch = s.batch;
  tile.begin = begin;
  auto* c = const_cast<std::byte*>(element(arguments.c, s.c, first));
  const std::byte* residual = e.residual ? element(arguments.residual, e.residual_type, first) : nullptr;
  tile.residual = residual_first ? reinterpret_cast<const float*>(residual) : nullptr;
  tile.residual_ld = e.residual_ld;
  tile.old_c = s.accumulate ? reinterpret_cast<const float*>(c) : nullptr;
  tile.old_ld = s.ldc;
  tile.out = in_registers && !narrow && !bytes ? reinterpret_cast<float*>(c) : sums;
  tile.narrow_out = narrow ? reinterpret_cast<std::uint16_t*>(c) : nullptr;
  tile.natively = natively;
  tile.out_ld = in_registers ? s.ldc : vectors * lanes;
  tile.streams = s.past_cache && in_registers && !narrow && !bytes && columns == vectors * lanes && vm::streams_to(c, s.ldc);
  tile.last = static_cast<std::size_t>(columns - (vectors - 1) * lanes);
  tile.activation = in_registers ? e.activation : Activation::none;
  tile.byte_out = bytes ? reinterpret_cast<std::uint8_t*>(c) : nullptr;
  tile.scale = scale;
  tile.byte_residual = bytes ? reinterpret_cast<const std::uint8_t*>(residual) : nullptr;
  tile.requantize = arguments.requantize;
  tile.next_lines = 1;
  // What is to be brought near while these rows go by, and how much of it by each six of them.
  const std::byte* ahead = nullptr;
  std::int64_t ahead_step = 0;
  if (arguments.ahead != nullptr && first == 0) {
    const std::int64_t fetches = std::max<std::int64_t>(1, state.rows / kFetchEvery), all = (s.m + kRows - 1) / kRows * fetches;
    tile.next_lines = (arguments.ahead_bytes / 64 + all) / all;
    ahead = static_cast<const std::byte*>(arguments.ahead);
    ahead_step = fetches * 64 * tile.next_lines;
    tile.next_end = ahead + arguments.ahead_bytes;
  } else if (arguments.next_b != nullptr) {
    ahead = static_cast<const std::byte*>(arguments.next_b) + (reinterpret_cast<const std::byte*>(b) - static_cast<const std::byte*>(arguments.packed_b));
    ahead_step = state.rows / kFetchEvery * 64;
    tile.next_end = ahead + panel_bytes;
  }

  for (std::int64_t m = 0, rows = 0, tiles = 1; m < s.m; m += rows * tiles) {
    rows = next_rows(s.m - m, most);
    if (ahead != nullptr) tile.next = std::min(tile.next_end, ahead + m / kRows * ahead_step);
    const TileFunction multiply = tile_function(state, bytes_by, rows, columns);
    if (in_registers) {
      tiles = (s.m - m) / rows;
      multiply(tile, m, tiles);
      continue;
    }
    Tile alone = tile;  // its sums lie at the beginning
    alone.a = static_cast<const std::byte*>(tile.a) + m * tile.row_bytes;
    if (tile.residual != nullptr) alone.residual += m * tile.residual_ld;
    if (tile.old_c != nullptr) alone.old_c += m * tile.old_ld;
    multiply(alone, 0, 1);
    Finish finish;
    finish.epilogue = &e;
    finish.scale = e.scale == Scale::per_column ? arguments.scale + first : arguments.scale;
    finish.bias = e.bias && !bias_first ? arguments.bias + first : nullptr;
    finish.residual = residual == nullptr || residual_first ? nullptr : element(residual, e.residual_type, m * e.residual_ld);
    finish.sums = sums;
    finish.sums_ld = vectors * lanes;
    finish.c = const_cast<std::byte*>(element(c, s.c, m * s.ldc));
    finish.c_type = s.c;
    finish.ldc = s.ldc;
    finish.rows = rows;
    finish.columns = columns;
    finish.sum_type = sum_type(s);
    finish.requantize = arguments.requantize;
    finish_tile(finish);
  }
}

void run_settings(const SimdState& state, const Arguments& arguments) {
  const auto* b = static_cast<const float*>(arguments.packed_b);
  const std::int64_t panel = state.panel;
  const std::int64_t step = state.rows * panel;
  for (std::int64_t p = 0; p < state.full_panels; ++p) run_panel(state, arguments, b + p * step, p * panel, panel);
  if (state.tail_columns > 0) run_panel(state, arguments, b + state.full_panels * step, state.full_panels * panel, state.tail_columns);
  if (state.settings.past_cache) hwy::FlushStream();
}

void round_all(const float* from, std::uint16_t* to, std::int64_t count) {
  const bool natively = narrows_natively();
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t i = 0; i < count; i += lanes) {
    const auto part = static_cast<std::size_t>(count - i < lanes ? count - i : lanes);
    store_rounded(load_part(from + i, part), to + i, part, natively);
  }
}

SimdTarget simd_target() {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  constexpr bool kBf16Pairs = EDGELAB_BF16_PAIRS != 0, kNeon = EDGELAB_NEON, kByteQuads = EDGELAB_VNNI != 0 || kNeon;
  return {lanes, kVectors * lanes, run_settings, finish_tile, pack_panel, pair_rows, round_all, kBf16Pairs, kByteQuads, kNeon};
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgelab::kernels::tile_gemm {

HWY_EXPORT(simd_target);

#if HWY_ARCH_ARM_A64 && !defined(HWY_NEON_WITHOUT_AES)
// Up to 1.0.3 (Debian 12) Highway takes a processor without AES, such as a Raspberry Pi 4's, for one without NEON, and finds nothing
// to call. NEON is all that is compiled here, every 64-bit Linux has it, and no kernel encrypts anything. Before main(), since the
// first call decides for all.
[[maybe_unused]] const bool kNeonWithoutAes = [] {
  hwy::SetSupportedTargetsForTest(HWY_NEON | HWY_EMU128 | HWY_SCALAR);
  return true;
}();
#endif

SimdTarget best_simd_target() {
  SimdTarget target = HWY_DYNAMIC_DISPATCH(simd_target)();
#if HWY_ARCH_X86
  target.bf16_pairs = target.bf16_pairs && this_machine().has("avx512_bf16");
  target.byte_quads = target.byte_quads && this_machine().has("avx512_vnni");
#elif HWY_ARCH_ARM_A64
  target.byte_quads = target.byte_quads && this_machine().has("asimddp");
#endif
  return target;
}

}  // namespace edgelab::kernels::tile_gemm
#endif
