#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "core/tensor.hpp"
#include "kernels/tile_gemm/tile_gemm.hpp"
#include "kernels/vector_math/vector_math.hpp"

// A product with random operands in buffers whose gaps and margins are poisoned: what a kernel reads past an operand is
// NaN (or 77 in bytes), what it writes past C is noticed.
namespace edgelab::kernels::tile_gemm::testing {

class Buffer {
 public:
  Buffer() = default;
  Buffer(DType type, std::int64_t elements) : type_(type), memory_(allocate_aligned(bytes_of(type, elements) + 2 * kMargin)), elements_(elements) {
    for (std::size_t i = 0; i < kMargin; ++i) memory_.get()[i] = memory_.get()[kMargin + bytes_of(type, elements) + i] = std::byte{0xFF};
    for (std::int64_t i = 0; i < elements; ++i) poison(i);
  }
  void* data() const { return memory_.get() + kMargin; }
  std::vector<std::byte> bytes() const { return {memory_.get(), memory_.get() + bytes_of(type_, elements_) + 2 * kMargin}; }
  void restore(const std::vector<std::byte>& bytes) { std::memcpy(memory_.get(), bytes.data(), bytes.size()); }

  double get(std::int64_t index) const {
    switch (type_) {
      case DType::f32: return static_cast<const float*>(data())[index];
      case DType::bf16: return bf16_to_float(static_cast<const std::uint16_t*>(data())[index]);
      case DType::s8: return static_cast<const std::int8_t*>(data())[index];
      case DType::u8: return static_cast<const std::uint8_t*>(data())[index];
      case DType::s32: return static_cast<const std::int32_t*>(data())[index];
      default: return 0;
    }
  }
  void set_random(std::int64_t index, CounterRandom& random) {
    switch (type_) {
      case DType::f32: static_cast<float*>(data())[index] = random.uniform(-1, 1); break;
      case DType::bf16: static_cast<std::uint16_t*>(data())[index] = float_to_bf16(random.uniform(-1, 1)); break;
      case DType::s8: static_cast<std::int8_t*>(data())[index] = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128); break;
      case DType::u8: static_cast<std::uint8_t*>(data())[index] = static_cast<std::uint8_t>(random.below(256)); break;
      case DType::s32: static_cast<std::int32_t*>(data())[index] = static_cast<std::int32_t>(random.below(2000)) - 1000; break;
      default: break;
    }
  }

 private:
  static constexpr std::size_t kMargin = 256;
  static std::size_t bytes_of(DType type, std::int64_t elements) { return static_cast<std::size_t>(elements) * size_of(type); }
  void poison(std::int64_t index) {
    if (type_ == DType::f32) static_cast<float*>(data())[index] = std::numeric_limits<float>::quiet_NaN();
    else if (type_ == DType::bf16) static_cast<std::uint16_t*>(data())[index] = 0x7FC0;
    else std::memset(static_cast<std::byte*>(data()) + static_cast<std::size_t>(index) * size_of(type_), 77, size_of(type_));
  }
  DType type_ = DType::f32;
  std::shared_ptr<std::byte> memory_;
  std::int64_t elements_ = 0;
};

inline void fill_matrix(const Buffer& buffer, std::int64_t rows, std::int64_t columns, std::int64_t ld, CounterRandom& random) {
  Buffer view = buffer;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) view.set_random(r * ld + c, random);
  }
}

struct Problem {
  Settings settings;
  Buffer a, c, bias, scale, residual;
  std::vector<Buffer> b;
  Buffer offset;
  Requantize requantize;
  std::int64_t ldb = 0;
  bool transposed = false;

  Problem(const Settings& s, CounterRandom& random) : settings(s), transposed(random.below(2) == 1) {
    const bool pairs = s.transposed_a && s.a == DType::bf16;
    const std::int64_t row_step = pairs ? 2 : s.transposed_a ? 1 : s.lda, k_step = s.transposed_a ? s.lda : 1;
    a = Buffer(s.a, pairs ? 2 * ((s.k - 1) / 2 * s.lda + s.m) : (s.batch - 1) * s.a_step + (s.m - 1) * row_step + (s.k - 1) * k_step + 1);
    if (pairs) fill_pairs(random);
    for (std::int64_t i = 0; i < s.batch; ++i) {
      Buffer view = a;
      for (std::int64_t r = 0; r < s.m; ++r) {
        for (std::int64_t k = 0; k < s.k && !pairs; ++k) view.set_random(i * s.a_step + r * row_step + k * k_step, random);
      }
    }
    ldb = (transposed ? s.k : s.n) + static_cast<std::int64_t>(random.below(3));
    const std::int64_t rows = transposed ? s.n : s.k, columns = transposed ? s.k : s.n;
    for (std::int64_t i = 0; i < s.batch; ++i) {
      b.emplace_back(s.b, (rows - 1) * ldb + columns);
      fill_matrix(b.back(), rows, columns, ldb, random);
    }
    c = Buffer(s.c, (s.m - 1) * s.ldc + s.n);
    if (s.accumulate) fill_matrix(c, s.m, s.n, s.ldc, random);
    bias = Buffer(DType::f32, s.n);
    fill_matrix(bias, 1, s.n, s.n, random);
    scale = Buffer(DType::f32, s.epilogue.scale == Scale::one ? 1 : s.n);
    fill_matrix(scale, 1, s.epilogue.scale == Scale::one ? 1 : s.n, s.n, random);
    // Sums of integers come out over the whole of a u8, and beyond.
    if (s.c == DType::u8) {
      const float size = 1.0f / (64.0f * std::sqrt(static_cast<float>(s.k * s.batch)));
      for (std::int64_t n = 0; n < (s.epilogue.scale == Scale::one ? 1 : s.n); ++n) static_cast<float*>(scale.data())[n] *= size;
    }
    offset = Buffer(DType::s32, s.n);
    fill_matrix(offset, 1, s.n, s.n, random);
    requantize.zero_point = static_cast<std::int32_t>(random.below(256));
    requantize.low = static_cast<std::int32_t>(random.below(100));
    requantize.high = random.below(2) == 0 ? 255 : 156 + static_cast<std::int32_t>(random.below(100));
    requantize.residual_zero_point = static_cast<std::int32_t>(random.below(256));
    requantize.residual_scale = random.uniform(0, 2);
    requantize.after_gelu = random.uniform(0, 200);
    if (s.epilogue.residual) {
      residual = Buffer(s.epilogue.residual_type, (s.m - 1) * s.epilogue.residual_ld + s.n);
      fill_matrix(residual, s.m, s.n, s.epilogue.residual_ld, random);
    }
  }

  // A transposed A of bf16: two along K beside each other, zero behind an odd K.
  void fill_pairs(CounterRandom& random) {
    for (std::int64_t r = 0; r < settings.m; ++r) {
      for (std::int64_t k = 0; k < settings.k; ++k) a.set_random(2 * (k / 2 * settings.lda + r) + k % 2, random);
    }
    if (settings.k % 2 == 0) return;
    for (std::int64_t r = 0; r < settings.m; ++r) static_cast<std::uint16_t*>(a.data())[2 * ((settings.k - 1) / 2 * settings.lda + r) + 1] = 0;
  }

  std::shared_ptr<std::byte> pack(const Kernel& kernel) const {
    auto packed = allocate_aligned(kernel.packed_bytes() * b.size());
    for (std::size_t i = 0; i < b.size(); ++i) kernel.pack({b[i].data(), ldb, transposed}, packed.get() + i * kernel.packed_bytes());
    return packed;
  }

  Arguments arguments(const void* packed, void* out, void* scratch) const {
    return {a.data(),
            packed,
            out,
            settings.epilogue.scale == Scale::none ? nullptr : static_cast<const float*>(scale.data()),
            settings.epilogue.bias ? static_cast<const float*>(bias.data()) : nullptr,
            settings.epilogue.residual ? residual.data() : nullptr,
            scratch,
            nullptr,
            nullptr,
            0,
            settings.epilogue.offset ? static_cast<const std::int32_t*>(offset.data()) : nullptr,
            requantize};
  }

  // C, with its margins, after one run.
  Buffer run(const Kernel& kernel) const {
    const auto packed = pack(kernel);
    const auto scratch = allocate_aligned(kernel.scratch_bytes());
    Buffer out(settings.c, (settings.m - 1) * settings.ldc + settings.n);
    out.restore(c.bytes());
    kernel.run(arguments(packed.get(), out.data(), scratch.get()));
    return out;
  }

  // The kernel's rounding, none for integers: random signs make partial sums of n products grow as √n, and their roundings too.
  double tolerance(double want) const {
    const double eps = std::numeric_limits<float>::epsilon();
    const double products = static_cast<double>(settings.k * settings.batch);
    if (sum_type(settings) == DType::s32) return 0;
    const double sum = eps * (8 + 2 * std::sqrt(products)) * (std::sqrt(products) + 4);
    const double rounding = settings.c == DType::bf16 ? 0x1p-7 * std::abs(want) : 0;  // one step: the sums may fall on two sides of a tie
    const double error = settings.c == DType::bf16 ? vector_math::kGeluBf16Error : vector_math::kGeluError;
    const double gelu = settings.epilogue.activation == Activation::gelu ? error * (1 + std::abs(want)) : 0;
    return sum + rounding + gelu;
  }
};

// Compares C with what the reference gives, and the bytes around it with what they were.
inline void expect_equal(const Problem& problem, const Buffer& got, const Buffer& want, const std::string& name) {
  const Settings& s = problem.settings;
  std::vector<std::byte> around = got.bytes();
  const std::vector<std::byte> before = problem.c.bytes();
  for (std::int64_t m = 0; m < s.m; ++m) {
    const auto* base = static_cast<const std::byte*>(got.data());
    (void)base;
    for (std::int64_t n = 0; n < s.n; ++n) {
      const std::int64_t at = m * s.ldc + n;
      const double expected = want.get(at);
      ASSERT_NEAR(got.get(at), expected, problem.tolerance(expected)) << name << ": " << text(s) << " at row " << m << ", column " << n;
    }
    const std::size_t offset = 256 + static_cast<std::size_t>(m * s.ldc) * size_of(s.c);
    std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(offset), static_cast<std::size_t>(s.n) * size_of(s.c),
                around.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  ASSERT_EQ(around, before) << name << " wrote outside C: " << text(s);
}

inline Settings random_settings(CounterRandom& random, DType a, DType b) {
  const auto below = [&random](std::int64_t bound) { return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound))); };
  constexpr std::int64_t kM[] = {1, 2, 3, 5, 6, 7, 14, 16, 33, 49, 64, 99};
  constexpr std::int64_t kN[] = {1, 2, 3, 7, 8, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 100, 130, 192};
  constexpr std::int64_t kK[] = {1, 2, 3, 4, 5, 7, 16, 24, 31, 64, 65, 96, 131, 1003};
  Settings s;
  s.m = kM[below(std::ssize(kM))];
  s.n = kN[below(std::ssize(kN))];
  s.k = kK[below(std::ssize(kK))];
  s.batch = below(3) == 0 ? 1 + below(4) : 1;
  s.lda = below(4) == 0 ? 1 + below(s.k) : s.k + below(2) * below(20);
  s.past_cache = below(4) == 0;
  s.transposed_a = (a == DType::f32 || (a == DType::bf16 && s.batch == 1)) && below(4) == 0;
  if (s.transposed_a && a == DType::bf16) s.lda = s.m + below(2) * below(20);
  if (s.transposed_a && a == DType::f32) s.lda = below(4) == 0 ? 1 + below(s.m) : s.m + below(2) * below(20);
  s.a_step = s.batch == 1 ? 0 : below(2) == 0 ? s.m * s.lda : 1 + below(s.lda);
  s.ldc = s.n + below(2) * below(20);
  s.a = a;
  s.b = b;
  const bool whole = sum_type(s) == DType::s32;
  const std::int64_t kinds = whole ? 6 : 2;
  constexpr DType kC[] = {DType::f32, DType::bf16, DType::s32, DType::u8, DType::u8, DType::u8};
  s.c = kC[below(kinds)];
  s.accumulate = s.c == sum_type(s) && below(3) == 0;
  if (s.c == DType::s32) return s;
  Epilogue& e = s.epilogue;
  e.scale = static_cast<Scale>(below(2) * below(3));
  e.bias = below(2) == 1;
  e.residual = below(3) == 0;
  e.residual_type = below(2) == 0 ? DType::f32 : DType::bf16;
  e.residual_ld = e.residual ? (below(2) == 0 ? s.ldc : s.n + below(9)) : 0;
  e.activation = static_cast<Activation>(below(4));
  if (!whole) return s;
  e.offset = below(2) == 0;
  if (e.residual && below(2) == 0) e.residual_type = DType::u8;
  if (s.c != DType::u8) return s;
  if (e.scale == Scale::none) e.scale = Scale::per_column;
  // Mostly what convolutions ask for, which has a path of its own.
  e.bias = e.bias && below(3) == 0;
  e.activation = below(4) == 0 ? Activation::gelu : Activation::none;
  return s;
}

}  // namespace edgelab::kernels::tile_gemm::testing
