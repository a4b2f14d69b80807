// The stated errors of vector_math, over dense sweeps, on every instruction set that this machine runs.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "each_target.hpp"
#include "kernels/vector_math/vector_math.hpp"

namespace edgelab::kernels::vector_math {
namespace {

using test::on_each_target;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> even_steps(float low, float high, int count) {
  std::vector<float> x;
  for (int i = 0; i <= count; ++i) x.push_back(low + (high - low) * static_cast<float>(i) / static_cast<float>(count));
  return x;
}

// Every `stride`-th f32 of either sign up to `limit`: as many near zero as there are in a float.
std::vector<float> floats_up_to(float limit, std::uint32_t stride) {
  std::vector<float> x;
  for (std::uint32_t bits = 0; bits <= std::bit_cast<std::uint32_t>(limit); bits += stride) {
    x.push_back(std::bit_cast<float>(bits));
    x.push_back(-x.back());
  }
  return x;
}

std::vector<float> mapped(Functions::Map map, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  map(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  return y;
}

double ulp_of(double value) { return std::ldexp(1.0, std::max(std::ilogb(value), -126) - 23); }

// The largest of error(x, y) over the sweep must be within `bound`, and not so far below it that the bound says nothing.
template <class Error> void expect_within(const char* name, const std::vector<float>& x, const std::vector<float>& y, double bound, const Error& error) {
  double worst = 0;
  float at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = error(static_cast<double>(x[i]), static_cast<double>(y[i]));
    if (!(e <= worst)) worst = e, at = x[i];
  }
  testing::Test::RecordProperty(name, std::to_string(worst) + " at " + std::to_string(at));
  EXPECT_LE(worst, bound) << name << " at " << at;
  EXPECT_GE(worst, bound / 10) << name << ": the stated error is far too large";
}

double gelu_exactly(double x) { return x * 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double scaled_error(double want, double got) { return std::abs(got - want) / std::max(1.0, std::abs(want)); }

TEST(VectorMath, ExpIsWithinItsStatedError) {
  on_each_target([] {
    const auto x = even_steps(-103.0f, 88.7f, 3'000'000);
    expect_within("exp", x, mapped(functions().exp, x), kExpUlp, [](double at, double got) { return std::abs(got - std::exp(at)) / ulp_of(std::exp(at)); });
  });
}

TEST(VectorMath, ExpOfSmallNumbersIsWithinItsStatedError) {
  on_each_target([] {
    const auto x = floats_up_to(88.7f, 997);
    const auto y = mapped(functions().exp, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double want = std::exp(static_cast<double>(x[i]));
      if (want < std::ldexp(1.0, -149)) continue;
      ASSERT_LE(std::abs(static_cast<double>(y[i]) - want), kExpUlp * ulp_of(want)) << x[i];
    }
  });
}

TEST(VectorMath, ExpAtTheEdges) {
  on_each_target([] {
    const std::vector<float> x = {0.0f, -0.0f, kInfinity, -kInfinity, 88.73f, -104.5f, 1e30f, -1e30f, kNaN};
    const auto y = mapped(functions().exp, x);
    EXPECT_FLOAT_EQ(y[0], 1.0f);
    EXPECT_FLOAT_EQ(y[1], 1.0f);
    EXPECT_EQ(y[2], kInfinity);
    EXPECT_EQ(y[3], 0.0f);
    EXPECT_EQ(y[4], kInfinity);
    EXPECT_EQ(y[5], 0.0f);
    EXPECT_EQ(y[6], kInfinity);
    EXPECT_EQ(y[7], 0.0f);
    EXPECT_TRUE(std::isnan(y[8]));
  });
}

TEST(VectorMath, PowersOfTwoAreWithinTheirStatedErrors) {
  on_each_target([] {
    const auto x = even_steps(-125.0f, 0.0f, 3'000'000);
    expect_within("exp2", x, mapped(functions().exp2_nonpositive, x), kExp2Ulp,
                  [](double at, double got) { return std::abs(got - std::exp2(at)) / ulp_of(std::exp2(at)); });
    expect_within("exp2_bf16", x, mapped(functions().exp2_nonpositive_bf16, x), kExp2Bf16Relative,
                  [](double at, double got) { return std::abs(got - std::exp2(at)) / std::exp2(at); });
  });
}

TEST(VectorMath, PowersOfTwoAtTheEdges) {
  on_each_target([] {
    for (const auto map : {functions().exp2_nonpositive, functions().exp2_nonpositive_bf16}) {
      const auto y = mapped(map, {-125.5f, -127.0f, -1000.0f, -1e30f, -kInfinity, kNaN});
      for (int i = 0; i < 5; ++i) EXPECT_EQ(y[static_cast<std::size_t>(i)], 0.0f);
      EXPECT_TRUE(std::isnan(y[5]));
    }
  });
}

TEST(VectorMath, ErfIsWithinItsStatedError) {
  on_each_target([] {
    auto x = even_steps(-6.0f, 6.0f, 2'000'000);
    expect_within("erf", x, mapped(functions().erf, x), kErfError, [](double at, double got) { return std::abs(got - std::erf(at)); });
    const auto y = mapped(functions().erf, {kInfinity, -kInfinity, 1e30f, -1e30f, kNaN});
    EXPECT_EQ(y[0], 1.0f);
    EXPECT_EQ(y[1], -1.0f);
    EXPECT_EQ(y[2], 1.0f);
    EXPECT_EQ(y[3], -1.0f);
    EXPECT_TRUE(std::isnan(y[4]));
  });
}

TEST(VectorMath, GeluIsWithinItsStatedErrors) {
  on_each_target([] {
    const auto x = even_steps(-20.0f, 20.0f, 4'000'000);
    const auto error = [](double at, double got) { return scaled_error(gelu_exactly(at), got); };
    expect_within("gelu", x, mapped(functions().gelu, x), kGeluError, error);
    expect_within("gelu_bf16", x, mapped(functions().gelu_bf16, x), kGeluBf16Error, error);
  });
}

TEST(VectorMath, GeluAtTheEdges) {
  on_each_target([] {
    for (const auto map : {functions().gelu, functions().gelu_bf16}) {
      const auto y = mapped(map, {0.0f, -0.0f, kInfinity, -kInfinity, 1e30f, -1e30f, kNaN, 1e-40f});
      EXPECT_EQ(y[0], 0.0f);
      EXPECT_EQ(y[1], 0.0f);
      EXPECT_EQ(y[2], kInfinity);
      EXPECT_EQ(y[3], 0.0f);
      EXPECT_EQ(y[4], 1e30f);
      EXPECT_EQ(y[5], 0.0f);
      EXPECT_TRUE(std::isnan(y[6]));
      EXPECT_LE(std::abs(y[7]), 1e-40f);
    }
  });
}

TEST(VectorMath, SoftmaxOfRowsOfAnyLengthIsWithinItsStatedError) {
  on_each_target([] {
    CounterRandom random(stream_key(3, "softmax"));
    for (std::int64_t count : {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 197, 1000}) {
      std::vector<float> x(static_cast<std::size_t>(count)), y(x.size() + 1, -1.0f);
      for (float& value : x) value = 8.0f * random.normal();
      const float scale = 0.7f;
      functions().softmax(x.data(), y.data(), count, scale);
      double highest = -INFINITY, sum = 0;
      for (const float value : x) highest = std::max(highest, static_cast<double>(value));
      for (const float value : x) sum += std::exp((static_cast<double>(value) - highest) * static_cast<double>(scale));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = std::exp((static_cast<double>(x[i]) - highest) * static_cast<double>(scale)) / sum;
        ASSERT_NEAR(static_cast<double>(y[i]), want, kSoftmaxError) << "of " << count;
      }
      EXPECT_EQ(y.back(), -1.0f) << "wrote past the row of " << count;
    }
  });
}

TEST(VectorMath, SoftmaxOfARowThatIsMaskedWhollyIsZeroAndANaNSpreads) {
  on_each_target([] {
    std::vector<float> masked(19, -kInfinity), y(19);
    functions().softmax(masked.data(), y.data(), 19, 1.0f);
    for (const float value : y) EXPECT_EQ(value, 0.0f);
    masked[4] = kNaN;
    masked[7] = 1.0f;
    functions().softmax(masked.data(), y.data(), 19, 1.0f);
    for (const float value : y) EXPECT_TRUE(std::isnan(value));
  });
}

}  // namespace
}  // namespace edgelab::kernels::vector_math
