#include "parallel/wire.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/random_tensor.hpp"

namespace edgelab::parallel {
namespace {

constexpr Wire kWires[] = {Wire::fp32, Wire::bf16, Wire::fp16, Wire::int8};

std::vector<float> through(Wire wire, const std::vector<float>& values, std::int64_t rows, std::int64_t width) {
  std::vector<std::byte> bytes(wire_bytes(wire, rows, width));
  encode(wire, values.data(), rows, width, bytes.data());
  std::vector<float> back(values.size());
  decode(wire, bytes.data(), rows, width, back.data());
  return back;
}

// Half a unit in the last place of bf16's 8 bits and fp16's 11; half a step of a row's 127.
double bound_of(Wire wire, float value, float largest_of_row) {
  switch (wire) {
    case Wire::fp32: return 0.0;
    case Wire::bf16: return std::fabs(value) * 0x1p-8;
    case Wire::fp16: return std::fabs(value) * 0x1p-11 + 0x1p-25;
    case Wire::int8: return static_cast<double>(largest_of_row) / 127 * 0.5001;
  }
  return 0.0;
}

TEST(Wire, KeepsNumbersAsExactlyAsItsFormatCan) {
  constexpr std::int64_t kRows = 7, kWidth = 33;
  const Tensor tensor = test::random_tensor({kRows, kWidth}, 11);
  std::vector<float> values(tensor.as<float>().begin(), tensor.as<float>().end());
  for (std::int64_t i = 0; i < kWidth; ++i) values[static_cast<std::size_t>(kWidth + i)] *= 1000.0f;  // one row of large numbers
  for (std::int64_t i = 0; i < kWidth; ++i) values[static_cast<std::size_t>(2 * kWidth + i)] = 0.0f;  // one of zeros
  for (const Wire wire : kWires) {
    const std::vector<float> back = through(wire, values, kRows, kWidth);
    for (std::int64_t r = 0; r < kRows; ++r) {
      float largest = 0.0f;
      for (std::int64_t i = 0; i < kWidth; ++i) largest = std::max(largest, std::fabs(values[static_cast<std::size_t>(r * kWidth + i)]));
      for (std::int64_t i = 0; i < kWidth; ++i) {
        const auto at = static_cast<std::size_t>(r * kWidth + i);
        EXPECT_LE(std::fabs(back[at] - values[at]), bound_of(wire, values[at], largest)) << "wire " << static_cast<int>(wire) << ", row " << r;
      }
    }
  }
}

// By vectors, whose last one is a part: as element by element, in every length.
TEST(Wire, RowsOfAnyLengthComeOutAsTheirNumbersOneByOne) {
  const Tensor tensor = test::random_tensor({70}, 12);
  for (std::int64_t width = 1; width <= 70; ++width) {
    const std::vector<float> values(tensor.as<float>().begin(), tensor.as<float>().begin() + width);
    const std::vector<float> bf16 = through(Wire::bf16, values, 1, width), fp16 = through(Wire::fp16, values, 1, width);
    const std::vector<float> int8 = through(Wire::int8, values, 1, width);
    float largest = 0.0f;
    for (const float value : values) largest = std::max(largest, std::fabs(value));
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(bf16[i], bf16_to_float(float_to_bf16(values[i]))) << i << " of " << width;
      EXPECT_EQ(fp16[i], f16_to_float(float_to_f16(values[i]))) << i << " of " << width;
      EXPECT_EQ(int8[i], largest / 127.0f * std::nearbyint(values[i] * (1.0f / (largest / 127.0f)))) << i << " of " << width;
    }
  }
}

// Every half, and the floats at, beside and between those: ties, subnormals, what overflows.
TEST(Wire, Fp16RoundsEveryNumberAsOneByOne) {
  std::vector<float> values;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float exact = f16_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(exact)) continue;
    const float above = f16_to_float(static_cast<std::uint16_t>(bits + 1)), tie = std::isfinite(above) ? exact / 2 + above / 2 : 65520.0f;
    for (const float value : {exact, std::nextafter(exact, 0.0f), tie, std::nextafter(tie, 0.0f), std::nextafter(tie, 1e9f)}) values.push_back(value);
  }
  for (const float value : {1e-30f, 1e-40f, -1e-45f, 1e30f, std::numeric_limits<float>::max()}) values.push_back(value);
  const auto count = static_cast<std::int64_t>(values.size());
  std::vector<std::byte> bytes(wire_bytes(Wire::fp16, 1, count));
  encode(Wire::fp16, values.data(), 1, count, bytes.data());
  const auto* halves = reinterpret_cast<const std::uint16_t*>(bytes.data());
  const std::vector<float> back = through(Wire::fp16, values, 1, count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(halves[i], float_to_f16(values[i])) << values[i];
    ASSERT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::bit_cast<std::uint32_t>(f16_to_float(halves[i]))) << halves[i];
  }
}

TEST(Wire, TakesTheBytesThatItSays) {
  EXPECT_EQ(wire_bytes(Wire::fp32, 3, 10), 120u);
  EXPECT_EQ(wire_bytes(Wire::bf16, 3, 10), 60u);
  EXPECT_EQ(wire_bytes(Wire::fp16, 3, 10), 60u);
  EXPECT_EQ(wire_bytes(Wire::int8, 3, 10), 42u);
}

// A broken number must not come out of any wire as one that looks right.
TEST(Wire, LetsNoNaNOrInfinityPassForANumber) {
  for (const Wire wire : kWires) {
    for (const float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      const std::vector<float> back = through(wire, {1.0f, broken, 2.0f, 3.0f}, 2, 2);
      EXPECT_FALSE(std::isfinite(back[1])) << "wire " << static_cast<int>(wire);
      EXPECT_NEAR(back[3], 3.0f, 0.02f);
    }
  }
}

TEST(Wire, HasARowOfInt8ForEachTokenAndForEachPlaneOfAMap) {
  EXPECT_EQ(rows_of({2, 5, 24}).rows, 10);
  EXPECT_EQ(rows_of({2, 5, 24}).width, 24);
  EXPECT_EQ(rows_of({2, 16, 7, 7}).rows, 32);
  EXPECT_EQ(rows_of({2, 16, 7, 7}).width, 49);
}

TEST(Wire, LeavesOtherTypesAsTheyAre) {
  const kernels::TensorType bytes{DType::u8, {3, 5}};
  EXPECT_EQ(wire_bytes(Wire::int8, bytes), 16u);  // rounded up to whole floats
  std::vector<std::byte> values(15), travelled(16), back(15);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::byte>(17 * i);
  encode(Wire::int8, bytes, values.data(), travelled.data());
  decode(Wire::int8, bytes, travelled.data(), back.data());
  EXPECT_EQ(back, values);
}

}  // namespace
}  // namespace edgelab::parallel
