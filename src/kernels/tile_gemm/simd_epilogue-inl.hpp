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

HWY_INLINE V whole_scale(const Finish& f, std::int64_t column, std::size_t count) {
  const Scale scale = f.epilogue->scale;
  return scale == Scale::none ? hn::Set(D(), 1.0f) : scale == Scale::one ? hn::Set(D(), f.scale[0]) : load_part(f.scale + column, count);
}

HWY_INLINE V whole_bias(const Finish& f, std::int64_t column, std::size_t count) {
  return f.bias != nullptr ? load_part(f.bias + column, count) : hn::Zero(D());
}

HWY_INLINE VI whole_sum(const Finish& f, std::int64_t row, std::int64_t column, std::size_t count) {
  return load_part(static_cast<const std::int32_t*>(f.sums) + row * f.sums_ld + column, count);
}

// Behind a sum of integers, as requantize.hpp and the reference have it.
HWY_INLINE V finished_whole(const Finish& f, VI sum, std::int64_t row, std::int64_t column, std::size_t count) {
  const Epilogue& e = *f.epilogue;
  const std::int64_t at = row * e.residual_ld + column;
  const bool bytes = f.residual != nullptr && e.residual_type == DType::u8;
  if (f.offset != nullptr) sum = hn::Add(sum, load_part(f.offset + column, count));
  V addend = whole_bias(f, column, count);
  if (f.residual != nullptr && !bytes) addend = hn::Add(addend, float_residual(f, at, count));
  V value = fused(hn::ConvertTo(D(), sum), whole_scale(f, column, count), addend);
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
      V value = finished_whole(f, whole_sum(f, row, column, count), row, column, count);
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

// What layers of integers ask for, a scale and perhaps a bias: and then GELU and bytes, or f32, to which a residual of f32 may come.
// Settled for each vector, a 99×64 tile with GELU took 9.8 µs at K = 192 instead of 8.0 (Zen 4).
HWY_NOINLINE inline void finish_whole_floats(const Finish& kind) {
  const Finish f = kind;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (std::int64_t column = 0; column < f.columns; column += lanes) {
    const auto count = static_cast<std::size_t>(f.columns - column < lanes ? f.columns - column : lanes);
    const V scale = whole_scale(f, column, count), bias = whole_bias(f, column, count);
    auto* c = static_cast<float*>(f.c) + column;
    const auto* residual = static_cast<const float*>(f.residual);
    for (std::int64_t row = 0; row < f.rows; ++row) {
      const V addend = residual == nullptr ? bias : hn::Add(bias, load_part(residual + row * f.epilogue->residual_ld + column, count));
      store_part(fused(hn::ConvertTo(D(), whole_sum(f, row, column, count)), scale, addend), c + row * f.ldc, count);
    }
  }
}

HWY_NOINLINE inline void finish_whole_gelu(const Finish& kind) {
  const Finish f = kind;
  const Requantize grid = f.requantize;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  const V after = hn::Set(D(), grid.after_gelu);
  const auto at = [&](VI sum, V scale, V bias) HWY_ATTR {
    return hn::Mul(vm::gelu<vector_math::Grade::bf16>(fused(hn::ConvertTo(D(), sum), scale, bias)), after);
  };
  std::int64_t column = 0;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const auto whole = static_cast<std::size_t>(lanes);
  for (; column + 4 * lanes <= f.columns; column += 4 * lanes) {
    const auto scale = [&](std::int64_t v) HWY_ATTR { return whole_scale(f, column + v * lanes, whole); };
    const auto bias = [&](std::int64_t v) HWY_ATTR { return whole_bias(f, column + v * lanes, whole); };
    const V s0 = scale(0), s1 = scale(1), s2 = scale(2), s3 = scale(3), b0 = bias(0), b1 = bias(1), b2 = bias(2), b3 = bias(3);
    for (std::int64_t row = 0; row < f.rows; ++row) {
      const auto sum = [&](std::int64_t v) HWY_ATTR { return whole_sum(f, row, column + v * lanes, whole); };
      const __m512i bytes = to_u8_in_order(grid, at(sum(0), s0, b0), at(sum(1), s1, b1), at(sum(2), s2, b2), at(sum(3), s3, b3));
      _mm512_storeu_si512(static_cast<std::uint8_t*>(f.c) + row * f.ldc + column, bytes);
    }
  }
#elif EDGELAB_NEON
  for (; column + 16 <= f.columns; column += 16) {
    const auto scale = [&](std::int64_t v) HWY_ATTR { return whole_scale(f, column + 4 * v, 4); };
    const auto bias = [&](std::int64_t v) HWY_ATTR { return whole_bias(f, column + 4 * v, 4); };
    const V s0 = scale(0), s1 = scale(1), s2 = scale(2), s3 = scale(3), b0 = bias(0), b1 = bias(1), b2 = bias(2), b3 = bias(3);
    for (std::int64_t row = 0; row < f.rows; ++row) {
      const auto sum = [&](std::int64_t v) HWY_ATTR { return whole_sum(f, row, column + 4 * v, 4); };
      const uint8x16_t bytes = to_u8_in_order(grid, at(sum(0), s0, b0), at(sum(1), s1, b1), at(sum(2), s2, b2), at(sum(3), s3, b3));
      vst1q_u8(static_cast<std::uint8_t*>(f.c) + row * f.ldc + column, bytes);
    }
  }
#endif
  for (; column < f.columns; column += lanes) {
    const auto count = static_cast<std::size_t>(f.columns - column < lanes ? f.columns - column : lanes);
    const V scale = whole_scale(f, column, count), bias = whole_bias(f, column, count);
    for (std::int64_t row = 0; row < f.rows; ++row) {
      store_bytes(to_u8(grid, at(whole_sum(f, row, column, count), scale, bias)), static_cast<std::uint8_t*>(f.c) + row * f.ldc + column, count);
    }
  }
}

HWY_INLINE void finish_integers(const Finish& f) {
  const Epilogue& e = *f.epilogue;
  if (f.offset != nullptr) return finish_whole_tile(f);
  if (f.c_type == DType::f32 && e.activation == Activation::none && (f.residual == nullptr || e.residual_type == DType::f32)) {
    return finish_whole_floats(f);
  }
  if (f.c_type == DType::u8 && e.activation == Activation::gelu && f.residual == nullptr) {
    return finish_whole_gelu(f);
  }
  finish_whole_tile(f);
}

HWY_INLINE bool layers_kind(const Finish& f) {
  return f.epilogue->scale == Scale::none && (f.residual == nullptr || f.epilogue->residual_type == DType::f32);
}

HWY_NOINLINE inline void finish_tile(const Finish& f) {
  if (f.sum_type == DType::s32) return finish_integers(f);
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
