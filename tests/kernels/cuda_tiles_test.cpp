// The device's kernels, run on an emulated block of threads, beside loops in double.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random.hpp"
#include "kernels/cuda/devices.hpp"
#include "kernels/cuda/tiles/attention_tile.hpp"
#include "kernels/cuda/tiles/layer_norm_rows.hpp"
#include "kernels/cuda/tiles/product_tile.hpp"
#include "support/emulated_block.hpp"

namespace edgelab::kernels::cuda {
namespace {

std::vector<float> drawn(std::int64_t count, std::uint64_t key) {
  CounterRandom random(key);
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (float& number : numbers) number = random.normal();
  return numbers;
}

std::vector<std::uint16_t> narrowed(const std::vector<float>& numbers) {
  std::vector<std::uint16_t> narrow;
  for (const float number : numbers) narrow.push_back(to_bf16(number));
  return narrow;
}

// A number as a product reads it; in fp32 three products leave out the last bits only.
double read(Multiply multiply, float value) {
  if (multiply == Multiply::bf16) return from_bf16(to_bf16(value));
  return multiply == Multiply::tf32 ? to_tf32(value) : value;
}

struct ProductCase {
  std::int64_t m, n, k;
  ActivationKind activation;
  bool bias, residual;
};
// Whole tiles, parts of tiles on every side, and depths that divide by nothing.
const ProductCase kProducts[] = {{64, 64, 32, ActivationKind::none, false, false},
                                 {128, 64, 64, ActivationKind::relu6, true, false},
                                 {65, 63, 33, ActivationKind::none, true, true},
                                 {1, 10, 7, ActivationKind::gelu, true, false},
                                 {50, 130, 17, ActivationKind::relu, false, true}};

template <Multiply kMultiply> std::vector<float> product(const ProductArguments& given, bool backwards) {
  using Tile = ProductTile<kMultiply>;
  std::vector<float> y(static_cast<std::size_t>(given.m * given.n), NAN);
  ProductArguments p = given;
  p.y = {y.data(), Element::f32};
  emulate<Tile>(static_cast<int>((p.m + Tile::kRows - 1) / Tile::kRows), static_cast<int>((p.n + Tile::kColumns - 1) / Tile::kColumns), Tile::kSharedBytes, p,
                backwards);
  return y;
}

template <Multiply kMultiply> void check_products(double tolerance) {
  for (const ProductCase& c : kProducts) {
    const auto x = drawn(c.m * c.k, 1), w = drawn(c.n * c.k, 2), bias = drawn(c.n, 3), residual = drawn(c.m * c.n, 4);
    const auto narrow_w = narrowed(w);
    ProductArguments p;
    p.m = c.m;
    p.n = c.n;
    p.k = c.k;
    p.x = {x.data(), Element::f32};
    p.w = kMultiply == Multiply::bf16 ? static_cast<const void*>(narrow_w.data()) : w.data();
    p.bias = c.bias ? bias.data() : nullptr;
    p.residual = c.residual ? residual.data() : nullptr;
    p.activation = c.activation;
    p.multiply = kMultiply;
    const std::vector<float> y = product<kMultiply>(p, false);
    EXPECT_EQ(y, product<kMultiply>(p, true)) << "threads in another order, another answer";
    for (std::int64_t m = 0; m < c.m; ++m) {
      for (std::int64_t n = 0; n < c.n; ++n) {
        double sum = c.bias ? static_cast<double>(bias[static_cast<std::size_t>(n)]) : 0.0;
        for (std::int64_t k = 0; k < c.k; ++k) {
          sum += read(kMultiply, x[static_cast<std::size_t>(m * c.k + k)]) * read(kMultiply, w[static_cast<std::size_t>(n * c.k + k)]);
        }
        const auto at = static_cast<std::size_t>(m * c.n + n);
        const double wanted = activate(c.activation, sum) + (c.residual ? static_cast<double>(residual[at]) : 0.0);
        ASSERT_NEAR(static_cast<double>(y[at]), wanted, tolerance * std::sqrt(static_cast<double>(c.k))) << "row " << m << ", column " << n << " of k = " << c.k;
      }
    }
  }
}

// What sums in fp32 lose: a few units of 2^-24 a product.
TEST(CudaProductTile, RoundsOperandsToBf16AndNothingElse) { check_products<Multiply::bf16>(2e-6); }
TEST(CudaProductTile, RoundsOperandsToTf32AndNothingElse) { check_products<Multiply::tf32>(2e-6); }
TEST(CudaProductTile, GivesFp32sDigitsByThreeProductsInTf32) { check_products<Multiply::f32>(2e-6); }

TEST(CudaProductTile, PutsGroupsOfRowsWhereTheyAreWanted) {
  const std::int64_t group = 3, n = 5, k = 4;
  const auto x = drawn(2 * group * k, 1), w = drawn(n * k, 2), residual = drawn((group + 1) * n, 3);
  std::vector<float> y(static_cast<std::size_t>(2 * (group + 1) * n), -1.0f);
  ProductArguments p;
  p.m = 2 * group;
  p.n = n;
  p.k = k;
  p.x = {x.data(), Element::f32};
  p.w = w.data();
  p.residual = residual.data();
  p.y = {y.data(), Element::f32};
  p.y_rows = {group, group + 1, 1};
  p.residual_rows = {group, 0, 1};
  emulate<ProductTile<Multiply::f32>>(1, 1, ProductTile<Multiply::f32>::kSharedBytes, p);
  for (std::int64_t image = 0; image < 2; ++image) {
    for (std::int64_t column = 0; column < n; ++column) EXPECT_EQ(y[static_cast<std::size_t>(image * (group + 1) * n + column)], -1.0f) << "the prefix is another's";
    for (std::int64_t row = 0; row < group; ++row) {
      for (std::int64_t column = 0; column < n; ++column) {
        double sum = static_cast<double>(residual[static_cast<std::size_t>((1 + row) * n + column)]);
        for (std::int64_t i = 0; i < k; ++i) {
          sum += static_cast<double>(x[static_cast<std::size_t>((image * group + row) * k + i)]) * static_cast<double>(w[static_cast<std::size_t>(column * k + i)]);
        }
        EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>((image * (group + 1) + 1 + row) * n + column)]), sum, 1e-5);
      }
    }
  }
}

template <Multiply kMultiply, int kHeadWidth> void check_attention(std::int64_t tokens, bool causal, double tolerance) {
  using Tile = AttentionTile<kMultiply, kHeadWidth>;
  const std::int64_t samples = 2, heads = 2;
  const auto qkv = drawn(samples * tokens * 3 * heads * kHeadWidth, static_cast<std::uint64_t>(tokens));
  std::vector<float> y(static_cast<std::size_t>(samples * tokens * heads * kHeadWidth), NAN), again = y;
  std::vector<float> log_sum_exp(static_cast<std::size_t>(samples * heads * tokens), NAN);
  AttentionArguments p;
  p.samples = samples;
  p.tokens = p.queries = tokens;
  p.heads = heads;
  p.head_width = kHeadWidth;
  p.scale = 1.0f / std::sqrt(static_cast<float>(kHeadWidth));
  p.causal = causal;
  p.qkv = {qkv.data(), Element::f32};
  p.y = {y.data(), Element::f32};
  p.log_sum_exp = log_sum_exp.data();
  const auto tiles = static_cast<int>((tokens + Tile::kQueries - 1) / Tile::kQueries);
  emulate<Tile>(tiles, static_cast<int>(samples * heads), Tile::kSharedBytes, p);
  p.y.data = again.data();
  emulate<Tile>(tiles, static_cast<int>(samples * heads), Tile::kSharedBytes, p, true);
  EXPECT_EQ(y, again) << "threads in another order, another answer";
  const auto at = [&](std::int64_t sample, std::int64_t token, int part, std::int64_t head, std::int64_t d) {
    return read(kMultiply, qkv[static_cast<std::size_t>((((sample * tokens + token) * 3 + part) * heads + head) * kHeadWidth + d)]);
  };
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t query = 0; query < tokens; ++query) {
        const std::int64_t keys = causal ? query + 1 : tokens;
        std::vector<double> weights;
        double total = 0.0;
        for (std::int64_t key = 0; key < keys; ++key) {
          double score = 0.0;
          for (int d = 0; d < kHeadWidth; ++d) score += at(sample, query, 0, head, d) * at(sample, key, 1, head, d);
          weights.push_back(std::exp(score * static_cast<double>(p.scale)));
          total += weights.back();
        }
        EXPECT_NEAR(static_cast<double>(log_sum_exp[static_cast<std::size_t>((sample * heads + head) * tokens + query)]), std::log(total), 1e-4);
        for (int d = 0; d < kHeadWidth; ++d) {
          double sum = 0.0;
          for (std::int64_t key = 0; key < keys; ++key) sum += weights[static_cast<std::size_t>(key)] * at(sample, key, 2, head, d);
          ASSERT_NEAR(static_cast<double>(y[static_cast<std::size_t>(((sample * tokens + query) * heads + head) * kHeadWidth + d)]), sum / total, tolerance)
              << "query " << query << " of " << tokens << ", head " << head << ", element " << d;
        }
      }
    }
  }
}

// Probabilities are rounded too, to 8, 11 and all bits; values of a standard normal distribution reach 4.
TEST(CudaAttentionTile, GivesTheSoftmaxOfAllScoresThoughItSeesOneTileAtATime) {
  for (const std::int64_t tokens : {1, 50, 64, 130}) {
    for (const bool causal : {false, true}) {
      check_attention<Multiply::bf16, 64>(tokens, causal, 1.5e-2);
      check_attention<Multiply::tf32, 32>(tokens, causal, 2e-3);
      check_attention<Multiply::f32, 32>(tokens, causal, 5e-6);
    }
  }
  check_attention<Multiply::f32, 64>(65, false, 5e-6);
  check_attention<Multiply::tf32, 64>(65, false, 2e-3);
  check_attention<Multiply::bf16, 32>(65, false, 1.5e-2);
}

TEST(CudaLayerNormRows, NormalisesEveryRowByItself) {
  for (const std::int64_t width : {1, 31, 64, 100}) {
    const std::int64_t rows = 6;  // a block and a half
    const auto x = drawn(rows * width, 1), weight = drawn(width, 2), bias = drawn(width, 3);
    std::vector<float> y(static_cast<std::size_t>(rows * width), NAN);
    LayerNormArguments p{rows, width, 1e-6f, x.data(), weight.data(), bias.data(), {y.data(), Element::f32}};
    emulate<LayerNormRows>(2, 1, 0, p);
    for (std::int64_t row = 0; row < rows; ++row) {
      double mean = 0.0, variance = 0.0;
      const auto at = [&](std::int64_t i) { return static_cast<double>(x[static_cast<std::size_t>(row * width + i)]); };
      for (std::int64_t i = 0; i < width; ++i) mean += at(i) / static_cast<double>(width);
      for (std::int64_t i = 0; i < width; ++i) variance += (at(i) - mean) * (at(i) - mean) / static_cast<double>(width);
      for (std::int64_t i = 0; i < width; ++i) {
        const auto c = static_cast<std::size_t>(i);
        const double wanted = (at(i) - mean) / std::sqrt(variance + 1e-6) * static_cast<double>(weight[c]) + static_cast<double>(bias[c]);
        EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(row * width + i)]), wanted, 1e-5);
      }
    }
  }
}

TEST(CudaNumbers, RoundAsTheHostDoes) {
  for (const float value : {0.0f, -1.5f, 1.00390625f, 1.01171875f, 3.3e38f, -1e-40f, INFINITY}) EXPECT_EQ(to_bf16(value), float_to_bf16(value)) << value;
  EXPECT_TRUE(std::isnan(from_bf16(to_bf16(NAN))));
  EXPECT_EQ(to_tf32(1.0f + 0x1p-10f), 1.0f + 0x1p-10f);
  EXPECT_EQ(to_tf32(1.0f + 0x1p-11f), 1.0f + 0x1p-10f) << "halves away from zero";
  EXPECT_EQ(to_tf32(-1.0f - 0x1.8p-12f), -1.0f);
  EXPECT_EQ(to_tf32(INFINITY), INFINITY);
}

TEST(CudaDevices, AreTakenInTurnsByTheRanksOfAHost) {
  EXPECT_EQ(device_of_rank(0, 2), 0);
  EXPECT_EQ(device_of_rank(3, 2), 1);
  EXPECT_EQ(ranks_of_device(0, 5, 2), (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(ranks_of_device(3, 5, 2), (std::vector<int>{1, 3}));
  EXPECT_EQ(ranks_of_device(1, 2, 4), (std::vector<int>{1}));
}

}  // namespace
}  // namespace edgelab::kernels::cuda
