#include "kernels/layer_norm/layer_norm_rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "each_target.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

using test::on_each_target;

constexpr std::int64_t kWidths[] = {1, 2, 7, 15, 16, 17, 64, 100, 192, 384, 401, 768, 1280};
constexpr float kEpsilon = 1e-6f;

// The stated error, with what rounding to the result's type adds.
double allowed(double mean, double deviation, double normal, double weight, double y, DType type) {
  const double own = kLayerNormError * (1 + std::abs(mean) / deviation) * (1 + std::abs(normal)) * std::abs(weight);
  return own + std::abs(y) * (type == DType::bf16 ? 0x1p-8 : 0x1p-23) + 1e-12;
}

struct Case {
  std::int64_t rows, width;
  float scale, shift;
  DType type;
};

double check(const Case& c) {
  const std::int64_t ld = c.width + 3;
  const Tensor x = test::random_tensor({c.rows, ld}, static_cast<std::uint64_t>(c.width), c.scale, c.shift);
  const Tensor weight = test::random_tensor({c.width}, 5), bias = test::random_tensor({c.width}, 6), addend = test::random_tensor({c.width}, 7);
  Tensor y(c.type, {c.rows, ld}), total(DType::f32, {c.rows, ld});
  std::memset(y.data(), 0xFF, y.bytes());
  LayerNormRows rows;
  rows.x = x.as<float>().data();
  rows.weight = weight.as<float>().data();
  rows.bias = bias.as<float>().data();
  rows.epsilon = kEpsilon;
  rows.y = y.data();
  rows.y_type = c.type;
  rows.rows = c.rows;
  rows.width = c.width;
  rows.total = total.as<float>().data();
  rows.addend = addend.as<float>().data();
  rows.x_ld = rows.y_ld = rows.total_ld = ld;
  layer_norm_rows(rows);
  const Tensor got_tensor = y.to_f32();
  const auto got = got_tensor.as<float>();
  double worst = 0;
  for (std::int64_t row = 0; row < c.rows; ++row) {
    double mean = 0, variance = 0;
    const float* from = rows.x + row * ld;
    for (std::int64_t i = 0; i < c.width; ++i) mean += static_cast<double>(from[i]) / static_cast<double>(c.width);
    for (std::int64_t i = 0; i < c.width; ++i) variance += std::pow(static_cast<double>(from[i]) - mean, 2) / static_cast<double>(c.width);
    const double deviation = std::sqrt(variance + static_cast<double>(kEpsilon));
    for (std::int64_t i = 0; i < ld; ++i) {
      const auto at = static_cast<std::size_t>(row * ld + i);
      if (i >= c.width) {
        EXPECT_TRUE(std::isnan(got[at])) << "wrote behind a row";
        EXPECT_EQ(total.as<float>()[at], 0.0f) << "wrote behind a row";
        continue;
      }
      const auto column = static_cast<std::size_t>(i);
      const double normal = (static_cast<double>(from[i]) - mean) / deviation, gain = static_cast<double>(weight.as<float>()[column]);
      const double want = normal * gain + static_cast<double>(bias.as<float>()[column]);
      const double error = std::abs(static_cast<double>(got[at]) - want), most = allowed(mean, deviation, normal, gain, want, c.type);
      if (c.type == DType::f32) worst = std::max(worst, error / most);
      EXPECT_LE(error, most) << "width " << c.width << ", column " << i << ", mean / deviation " << mean / deviation;
      EXPECT_EQ(total.as<float>()[at], from[i] + addend.as<float>()[column]);
    }
  }
  return worst;
}

TEST(LayerNormRows, KeepsItsStatedErrorOnEveryInstructionSet) {
  double worst = 0;
  on_each_target([&] {
    for (const std::int64_t width : kWidths) {
      for (const DType type : {DType::f32, DType::bf16}) {
        for (const float shift : {0.0f, 3.0f, 1000.0f}) {
          if (!::testing::Test::HasFailure()) worst = std::max(worst, check({9, width, 1.0f, shift, type}));
        }
        if (!::testing::Test::HasFailure()) worst = std::max(worst, check({3, width, 1e-3f, 0.1f, type}));
      }
    }
  });
  RecordProperty("worst_share_of_the_stated_error", std::to_string(worst));
}

TEST(LayerNormRows, RoundsRowsAsTheTypeSaysOnEveryInstructionSet) {
  on_each_target([] {
    const float special[] = {0.0f, -0.0f, 1.00390625f, 1.01171875f, std::numeric_limits<float>::infinity(), 3.4e38f, 1e-40f, -2.5f};
    for (const std::int64_t width : kWidths) {
      const Tensor x = test::random_tensor({2, width}, 3);
      std::vector<float> values(x.as<float>().begin(), x.as<float>().end());
      for (std::size_t i = 0; i < std::min(values.size(), std::size(special)); ++i) values[i] = special[i];
      std::vector<std::uint16_t> got(values.size());
      round_rows(values.data(), width, got.data(), width, 2, width);
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (values[i] == 1e-40f && got[i] == 0) continue;  // a subnormal number, which the machine's own instruction takes for zero
        ASSERT_EQ(got[i], float_to_bf16(values[i])) << values[i];
      }
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::uint16_t rounded = 0;
    round_rows(&nan, 1, &rounded, 1, 1, 1);
    EXPECT_TRUE(std::isnan(bf16_to_float(rounded)));
  });
}

TEST(LayerNormSimd, GivesTheReferencesNumbersByTheTeam) {
  for (const std::int64_t width : kWidths) {
    if (width == 1) continue;  // nothing is left of a row of one
    for (const std::int64_t rows : {1, 2, 5, 50}) {
      const OpInputs inputs{{test::random_tensor({rows, width}, 1, 2.0f, 0.5f), test::random_tensor({width}, 2), test::random_tensor({width}, 3)}};
      expect_as_reference(LayerNorm{}, inputs, "simd", {1e-5, 1e-6}, inputs.tensors[0].shape().text());
      expect_as_reference(LayerNorm{1e-6, DType::bf16}, inputs, "simd", {1e-5, 0x1p-7}, inputs.tensors[0].shape().text());
    }
  }
}

}  // namespace
}  // namespace edgelab::kernels::testing
