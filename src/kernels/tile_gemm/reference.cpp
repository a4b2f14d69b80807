#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "core/tensor.hpp"
#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/vector_math/vector_math.hpp"

namespace edgelab::kernels::tile_gemm {
namespace {

double element(DType type, const void* data, std::int64_t index) {
  switch (type) {
    case DType::f32: return static_cast<const float*>(data)[index];
    case DType::bf16: return bf16_to_float(static_cast<const std::uint16_t*>(data)[index]);
    case DType::s8: return static_cast<const std::int8_t*>(data)[index];
    case DType::u8: return static_cast<const std::uint8_t*>(data)[index];
    case DType::s32: return static_cast<const std::int32_t*>(data)[index];
    default: return 0;
  }
}

void store(DType type, void* data, std::int64_t index, double value) {
  switch (type) {
    case DType::f32: static_cast<float*>(data)[index] = static_cast<float>(value); break;
    case DType::bf16: static_cast<std::uint16_t*>(data)[index] = float_to_bf16(static_cast<float>(value)); break;
    case DType::s32: static_cast<std::int32_t*>(data)[index] = static_cast<std::int32_t>(static_cast<std::int64_t>(value)); break;
    case DType::u8: static_cast<std::uint8_t*>(data)[index] = static_cast<std::uint8_t>(value); break;
    default: break;
  }
}

double activate(Activation activation, double value) {
  switch (activation) {
    case Activation::none: return value;
    case Activation::relu: return std::max(value, 0.0);
    case Activation::relu6: return std::clamp(value, 0.0, 6.0);
    case Activation::gelu: return value * 0.5 * std::erfc(-value / std::numbers::sqrt2);
  }
  return value;
}

std::size_t packed_bytes_of(const Settings& s) {
  const std::size_t bytes = static_cast<std::size_t>(s.k * s.n) * size_of(s.b);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Packed B is B, [K,N] without gaps.
void pack(const void* state, const PlainB& b, void* packed) noexcept {
  const Settings& s = *static_cast<const Settings*>(state);
  const std::size_t size = size_of(s.b);
  auto* to = static_cast<std::byte*>(packed);
  const auto* from = static_cast<const std::byte*>(b.data);
  for (std::int64_t k = 0; k < s.k; ++k) {
    for (std::int64_t n = 0; n < s.n; ++n, to += size) {
      std::memcpy(to, from + static_cast<std::size_t>(b.transposed ? n * b.ld + k : k * b.ld + n) * size, size);
    }
  }
}

std::int64_t offset_in_a(const Settings& s, std::int64_t m, std::int64_t k) {
  if (!s.transposed_a) return m * s.lda + k;
  return s.a == DType::bf16 ? 2 * (k / 2 * s.lda + m) + k % 2 : k * s.lda + m;
}

// A double holds every s32 sum exactly: the products are below 2^15 and K · batch below 2^38.
double sum_of(const Settings& s, const Arguments& arguments, std::int64_t m, std::int64_t n) {
  double sum = s.accumulate ? element(s.c, arguments.c, m * s.ldc + n) : 0.0;
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const auto* packed = static_cast<const std::byte*>(arguments.packed_b) + static_cast<std::size_t>(b) * packed_bytes_of(s);
    for (std::int64_t k = 0; k < s.k; ++k) {
      sum += element(s.a, arguments.a, b * s.a_step + offset_in_a(s, m, k)) * element(s.b, packed, k * s.n + n);
    }
  }
  return sum;
}

// GELU is one polynomial for all that sum integers, so that they give the same bits; vector_math_test.cpp holds it against erf.
float gelu(DType c, float f) {
  const vector_math::Functions functions = vector_math::functions();
  (c == DType::f32 ? functions.gelu : functions.gelu_bf16)(&f, &f, 1);
  return f;
}

double finished(const Settings& s, const Arguments& arguments, std::int64_t sum, std::int64_t m, std::int64_t n) {
  const Epilogue& e = s.epilogue;
  const float whole = static_cast<float>(static_cast<std::int32_t>(sum + (e.offset ? arguments.offset[n] : 0)));
  const bool bytes = e.residual && e.residual_type == DType::u8;
  const std::int64_t at = m * e.residual_ld + n;
  float addend = e.bias ? arguments.bias[n] : 0.0F;
  if (e.residual && !bytes) addend += static_cast<float>(element(e.residual_type, arguments.residual, at));
  const float scale = e.scale == Scale::none ? 1.0F : arguments.scale[e.scale == Scale::one ? 0 : n];
  float f = std::fmaf(whole, scale, addend);
  if (bytes) f = add_u8(arguments.requantize, static_cast<const std::uint8_t*>(arguments.residual)[at], f);
  f = e.activation == Activation::gelu ? gelu(s.c, f) : static_cast<float>(activate(e.activation, static_cast<double>(f)));
  if (s.c != DType::u8) return static_cast<double>(f);
  return to_u8(arguments.requantize, e.activation == Activation::gelu ? f * arguments.requantize.after_gelu : f);
}

void run(const void* state, const Arguments& arguments) noexcept {
  const Settings& s = *static_cast<const Settings*>(state);
  const Epilogue& e = s.epilogue;
  for (std::int64_t m = 0; m < s.m; ++m) {
    for (std::int64_t n = 0; n < s.n; ++n) {
      double value = sum_of(s, arguments, m, n);
      if (sum_type(s) == DType::s32 && s.c != DType::s32) {
        store(s.c, arguments.c, m * s.ldc + n, finished(s, arguments, static_cast<std::int64_t>(value), m, n));
        continue;
      }
      if (e.scale != Scale::none) value *= arguments.scale[e.scale == Scale::one ? 0 : n];
      if (e.bias) value += arguments.bias[n];
      if (e.residual) value += element(e.residual_type, arguments.residual, m * e.residual_ld + n);
      store(s.c, arguments.c, m * s.ldc + n, activate(e.activation, value));
    }
  }
}

}  // namespace

Kernel make_reference(const Settings& settings) {
  return {{run, pack}, std::make_shared<const Settings>(settings), packed_bytes_of(settings), 0};
}

}  // namespace edgelab::kernels::tile_gemm
