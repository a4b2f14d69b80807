// Included once for every instruction set, so the guard is Highway's toggle and not `#pragma once`.
#if defined(EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#undef EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#else
#define EDGELAB_TILE_GEMM_SIMD_EPILOGUE_INL
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>
#include "kernels/tile_gemm/simd.hpp"
#include "kernels/tile_gemm/simd_requantize-inl.hpp"
#include "kernels/vector_math/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vm = vector_math::HWY_NAMESPACE;
using vm::D;
using vm::kMaxLanes;
using vm::load_bf16;
using vm::load_part;
using vm::store_bf16;
using vm::store_part;
using vm::V;

// Highway 1.0 has no set of targets with AVX512-BF16, but its AVX-512 ones run on machines that have it. The assembler knows
// the instruction whatever the function is compiled for; whether the machine does is asked when a kernel is made.
#undef EDGELAB_BF16_PAIRS  // of the set of targets before this one
#if HWY_NATIVE_DOT_BF16
#define EDGELAB_BF16_PAIRS 1
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3 && HWY_COMPILER_GCC
#define EDGELAB_BF16_PAIRS 2
#else
#define EDGELAB_BF16_PAIRS 0
#endif

// Whether the machine has an instruction that rounds to bf16, and the kernel is compiled for vectors that it takes.
HWY_INLINE bool narrows_natively() {
#if EDGELAB_BF16_PAIRS == 2
  static const bool has = this_machine().has("avx512_bf16");
  return has;
#else
  return false;
#endif
}

// To nearest even; `natively` is what narrows_natively() said, and then subnormal numbers become zero.
HWY_INLINE void store_rounded(V value, std::uint16_t* to, std::size_t count, bool natively) {
#if EDGELAB_BF16_PAIRS == 2
  if (natively && count == hn::Lanes(D())) {
    const hn::Rebind<std::uint16_t, D> halves;
    auto narrow = hn::Zero(halves);
    asm("vcvtneps2bf16 %1, %0" : "=v"(narrow.raw) : "v"(value.raw));
    return hn::StoreU(narrow, halves, to);
  }
#endif
  (void)natively;
  store_bf16(value, to, count);
}

// relu and relu6. A NaN stays one.
HWY_INLINE V clamp(Activation activation, V value) {
  value = vm::at_least(hn::Zero(D()), value);
  return activation == Activation::relu ? value : vm::at_most(hn::Set(D(), 6.0f), value);
}

HWY_INLINE V activate(Activation activation, DType type, V value) {
  if (activation == Activation::none) return value;
  if (activation != Activation::gelu) return clamp(activation, value);
  return type == DType::bf16 ? vm::gelu<vector_math::Grade::bf16>(value) : vm::gelu<vector_math::Grade::f32>(value);
}

HWY_INLINE V float_residual(const Finish& f, std::int64_t at, std::size_t count) {
  return f.epilogue->residual_type == DType::f32 ? load_part(static_cast<const float*>(f.residual) + at, count)
                                                 : load_bf16(static_cast<const std::uint16_t*>(f.residual) + at, count);
}

HWY_INLINE V finished(const Finish& f, V value, std::int64_t row, std::int64_t column, std::size_t count) {
  const Epilogue& e = *f.epilogue;
  if (e.scale == Scale::one) value = hn::Mul(value, hn::Set(D(), f.scale[0]));
  if (e.scale == Scale::per_column) value = hn::Mul(value, load_part(f.scale + column, count));
  if (f.bias != nullptr) value = hn::Add(value, load_part(f.bias + column, count));
  if (f.residual != nullptr) value = hn::Add(value, float_residual(f, row * e.residual_ld + column, count));
  return activate(e.activation, f.c_type, value);
}

// What layers ask for: f32 sums, no scale, a residual of f32 if any. The kinds are settled before the loops. Settled for each
// vector, a 99×64 tile took 1.5 µs with a bias instead of 0.8, and 2.7 with GELU instead of 2.2 (Zen 4).
template <Activation kActivation, bool kNarrow> HWY_INLINE void finish_vector(const Finish& f, std::int64_t row, std::int64_t column, std::size_t count) {
  V value = load_part(static_cast<const float*>(f.sums) + row * f.sums_ld + column, count);
  if (f.bias != nullptr) value = hn::Add(value, load_part(f.bias + column, count));
  if (f.residual != nullptr) value = hn::Add(value, load_part(static_cast<const float*>(f.residual) + row * f.epilogue->residual_ld + column, count));
  value = activate(kActivation, kNarrow ? DType::bf16 : DType::f32, value);
  if constexpr (kNarrow) {
    store_bf16(value, static_cast<std::uint16_t*>(f.c) + row * f.ldc + column, count);
  } else {
    store_part(value, static_cast<float*>(f.c) + row * f.ldc + column, count);
  }
}

template <Activation kActivation, bool kNarrow> HWY_NOINLINE void finish_layer(const Finish& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const std::int64_t full = f.columns / lanes * lanes;
  for (std::int64_t row = 0; row < f.rows; ++row) {
    for (std::int64_t column = 0; column < full; column += lanes) finish_vector<kActivation, kNarrow>(f, row, column, hn::Lanes(D()));
    if (full < f.columns) finish_vector<kActivation, kNarrow>(f, row, full, static_cast<std::size_t>(f.columns - full));
  }
}

template <bool kNarrow> HWY_INLINE void finish_layer(const Finish& f) {
  switch (f.epilogue->activation) {
    case Activation::none: return finish_layer<Activation::none, kNarrow>(f);
    case Activation::relu: return finish_layer<Activation::relu, kNarrow>(f);
    case Activation::relu6: return finish_layer<Activation::relu6, kNarrow>(f);
    case Activation::gelu: return finish_layer<Activation::gelu, kNarrow>(f);
  }
}

// Behind a sum of integers, as requantize.hpp and the reference have it.
HWY_INLINE V finished_whole(const Finish& f, VI sum, std::int64_t row, std::int64_t column, std::size_t count) {
  const Epilogue& e = *f.epilogue;
  const std::int64_t at = row * e.residual_ld + column;
  const bool bytes = f.residual != nullptr && e.residual_type == DType::u8;
  if (f.offset != nullptr) sum = hn::Add(sum, load_part(f.offset + column, count));
  V addend = f.bias != nullptr ? load_part(f.bias + column, count) : hn::Zero(D());
  if (f.residual != nullptr && !bytes) addend = hn::Add(addend, float_residual(f, at, count));
  const V scale = e.scale == Scale::none ? hn::Set(D(), 1.0f) : e.scale == Scale::one ? hn::Set(D(), f.scale[0]) : load_part(f.scale + column, count);
  V value = fused(hn::ConvertTo(D(), sum), scale, addend);
  if (bytes) value = add_u8(f.requantize, load_bytes(static_cast<const std::uint8_t*>(f.residual) + at, count), value);
  return activate(e.activation, f.c_type == DType::u8 ? DType::bf16 : f.c_type, value);
}

HWY_NOINLINE inline void finish_whole_tile(const Finish& f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const Requantize grid = f.requantize;  // a store of bytes may change anything that is not here
  const bool gelu = f.epilogue->activation == Activation::gelu;
  for (std::int64_t row = 0; row < f.rows; ++row) {
    for (std::int64_t column = 0; column < f.columns; column += lanes) {
      const auto count = static_cast<std::size_t>(f.columns - column < lanes ? f.columns - column : lanes);
      V value = finished_whole(f, load_part(static_cast<const std::int32_t*>(f.sums) + row * f.sums_ld + column, count), row, column, count);
      const std::int64_t at = row * f.ldc + column;
      if (f.c_type == DType::f32) {
        store_part(value, static_cast<float*>(f.c) + at, count);
      } else if (f.c_type == DType::bf16) {
        store_bf16(value, static_cast<std::uint16_t*>(f.c) + at, count);
      } else {
        if (gelu) value = hn::Mul(value, hn::Set(D(), grid.after_gelu));
        store_bytes(to_u8(grid, value), static_cast<std::uint8_t*>(f.c) + at, count);
      }
    }
  }
}

HWY_INLINE bool layers_kind(const Finish& f) {
  return f.epilogue->scale == Scale::none && (f.residual == nullptr || f.epilogue->residual_type == DType::f32);
}

HWY_NOINLINE inline void finish_tile(const Finish& f) {
  if (f.sum_type == DType::s32) return finish_whole_tile(f);
  if (layers_kind(f)) return f.c_type == DType::f32 ? finish_layer<false>(f) : finish_layer<true>(f);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t row = 0; row < f.rows; ++row) {
    for (std::int64_t column = 0; column < f.columns; column += lanes) {
      const auto count = static_cast<std::size_t>(f.columns - column < lanes ? f.columns - column : lanes);
      const V value = finished(f, load_part(static_cast<const float*>(f.sums) + row * f.sums_ld + column, count), row, column, count);
      const std::int64_t at = row * f.ldc + column;
      if (f.c_type == DType::f32) {
        store_part(value, static_cast<float*>(f.c) + at, count);
      } else {
        store_bf16(value, static_cast<std::uint16_t*>(f.c) + at, count);
      }
    }
  }
}

}  // namespace edgelab::kernels::tile_gemm::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
