#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/dtype.hpp"

namespace edgelab {
namespace {

constexpr int kAll = 1 << 16;

std::uint16_t bits_of(int value) { return static_cast<std::uint16_t>(value); }

// IEEE binary16 by its definition.
double f16_by_definition(std::uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  return exponent == 0 ? sign * std::ldexp(fraction, -24) : sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(DType, ReadsEveryF16AsTheStandardDefinesIt) {
  for (int i = 0; i < kAll; ++i) {
    const double want = f16_by_definition(bits_of(i));
    const float got = f16_to_float(bits_of(i));
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(got)) << i;
    } else {
      ASSERT_EQ(got, want) << i;
      ASSERT_EQ(std::signbit(got), (i & 0x8000) != 0) << i;
    }
  }
}

TEST(DType, BringsEveryF16BackUnchanged) {
  for (int i = 0; i < kAll; ++i) {
    const float value = f16_to_float(bits_of(i));
    const std::uint16_t back = float_to_f16(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(f16_to_float(back))) << i;
    } else {
      ASSERT_EQ(back, i);
    }
  }
}

TEST(DType, BringsEveryBf16BackUnchanged) {
  for (int i = 0; i < kAll; ++i) {
    const float value = bf16_to_float(bits_of(i));
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), static_cast<std::uint32_t>(i) << 16);
    const std::uint16_t back = float_to_bf16(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(bf16_to_float(back))) << i;
    } else {
      ASSERT_EQ(back, i);
    }
  }
}

// Between two neighbours: the middle goes to the even one, what lies beside it to the nearer.
template <class Widen, class Narrow> void expect_rounding_to_even(int infinity, Widen widen, Narrow narrow) {
  for (int sign : {0, 0x8000}) {
    for (int i = 0; i + 1 < infinity; ++i) {
      const float low = widen(bits_of(sign + i)), high = widen(bits_of(sign + i + 1));
      const auto middle = static_cast<float>((static_cast<double>(low) + static_cast<double>(high)) / 2);
      ASSERT_EQ(narrow(middle), sign + i + (i & 1)) << i;
      ASSERT_EQ(narrow(std::nextafter(middle, low)), sign + i) << i;
      ASSERT_EQ(narrow(std::nextafter(middle, high)), sign + i + 1) << i;
    }
  }
}

TEST(DType, RoundsF16ToNearestEven) { expect_rounding_to_even(0x7C00, f16_to_float, float_to_f16); }
TEST(DType, RoundsBf16ToNearestEven) { expect_rounding_to_even(0x7F80, bf16_to_float, float_to_bf16); }

TEST(DType, OverflowsToInfinity) {
  EXPECT_EQ(float_to_f16(65519.996f), 0x7BFF);
  EXPECT_EQ(float_to_f16(65520.0f), 0x7C00);
  EXPECT_EQ(float_to_f16(-1e30f), 0xFC00);
  EXPECT_EQ(float_to_bf16(std::numeric_limits<float>::max()), 0x7F80);
}

TEST(DType, KeepsANaNWhoseUpperHalfLooksLikeInfinity) {
  const auto nan = std::bit_cast<float>(0x7F800001u);
  EXPECT_TRUE(std::isnan(bf16_to_float(float_to_bf16(nan))));
  EXPECT_TRUE(std::isnan(f16_to_float(float_to_f16(nan))));
}

TEST(DType, KnowsItsSizesAndNames) {
  EXPECT_EQ(size_of(DType::f32), sizeof(float));
  EXPECT_EQ(size_of(DType::f16), 2u);
  EXPECT_EQ(size_of(DType::bf16), 2u);
  EXPECT_EQ(size_of(DType::s8), 1u);
  EXPECT_EQ(size_of(DType::u8), 1u);
  EXPECT_EQ(size_of(DType::s32), 4u);
  EXPECT_EQ(size_of(DType::s64), 8u);
  EXPECT_EQ(name_of(DType::f32), "fp32");
  EXPECT_EQ(name_of(DType::bf16), "bf16");
  EXPECT_EQ(name_of(DType::s8), "int8");
}

}  // namespace
}  // namespace edgelab
