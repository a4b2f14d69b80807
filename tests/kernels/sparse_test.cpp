// Products without the zeros of their weights, against the reference, for any pattern of zeros.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "draw.hpp"
#include "each_target.hpp"
#include "kernel_call.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/sparse/rows.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::relative_difference;
using testing::call;
using testing::CallResult;
using testing::Draw;

// Zeros in groups of `block` outputs for one input each, as pruning makes them; about `kept` of the groups stay.
Tensor sparse_weight(Shape shape, std::uint64_t seed, std::int64_t block, float kept, float scale) {
  Tensor weight = test::random_tensor(shape, seed, scale / std::sqrt(kept));
  CounterRandom random(seed + 77);
  const std::int64_t rows = shape[0], columns = weight.elements() / rows;
  const auto values = weight.as<float>();
  for (std::int64_t first = 0; first < rows; first += block) {
    for (std::int64_t k = 0; k < columns; ++k) {
      if (random.uniform(0.0f, 1.0f) < kept) continue;
      for (std::int64_t n = first; n < std::min(rows, first + block); ++n) values[static_cast<std::size_t>(n * columns + k)] = 0.0f;
    }
  }
  return weight;
}

void expect_same(const Op& op, const std::vector<Tensor>& inputs, std::int64_t products, double more, const std::string& what, std::vector<std::size_t> variable = {}) {
  const Tensor want = call(op, "reference", inputs, 1, 1, variable).output;
  const double tolerance = std::numeric_limits<float>::epsilon() * (16 + 2 * std::sqrt(static_cast<double>(products))) + more;
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(op, "sparse", inputs, 1, threads, variable);
    ASSERT_EQ(got.refusal, "") << what;
    ASSERT_LE(relative_difference(got.output, want), tolerance) << what << ", threads " << threads << ", " << got.detail;
  }
}

// GELU is within 4e-7, of outputs whose deviation may be small.
double more_for(ActivationKind activation) { return activation == ActivationKind::gelu ? 4e-5 : 0.0; }

TEST(Sparse, LinearLayersGiveTheReferencesNumbersForAnyPatternOfZeros) {
  Draw draw(61);
  for (int trial = 0; trial < 80 && !::testing::Test::HasFatalFailure(); ++trial) {
    Linear linear;
    linear.has_bias = draw.coin(), linear.has_residual = draw.coin();
    linear.activation = static_cast<ActivationKind>(draw.of({0, 1, 2, 3}));
    const std::int64_t rows = draw.of({2, 3, 17, 64, 197, 400}), k = draw.of({4, 7, 64, 100}), n = draw.of({2, 5, 16, 66, 130}), block = draw.of({1, 4, 16});
    std::vector<Tensor> inputs = {draw.tensor({rows, k}), sparse_weight({n, k}, static_cast<std::uint64_t>(trial), block, 0.2f, 1.5f / std::sqrt(static_cast<float>(k)))};
    if (sparse::too_dense(sparse::zeros_of(inputs[1]))) continue;
    if (linear.has_bias) inputs.push_back(draw.tensor({n}));
    if (linear.has_residual) inputs.push_back(draw.tensor({rows, n}));
    expect_same(linear, inputs, k, more_for(linear.activation), std::to_string(rows) + " rows, " + std::to_string(k) + " to " + std::to_string(n) + ", " + linear.text(), {linear.residual_input()});
  }
}

TEST(Sparse, PointwiseConvolutionsGiveTheReferencesNumbersForAnyPatternOfZeros) {
  Draw draw(62);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    Conv2d conv;
    conv.has_bias = draw.coin(), conv.has_residual = draw.coin();
    conv.activation = conv.has_residual ? ActivationKind::none : static_cast<ActivationKind>(draw.of({0, 1, 2, 3}));
    const Shape x{draw.of({1, 2, 5}), draw.of({5, 16, 33, 100}), draw.of({1, 4, 7, 15}), draw.of({2, 7, 12, 20})};
    const std::int64_t n = draw.of({3, 16, 64, 130});
    std::vector<Tensor> inputs = {draw.tensor(x), sparse_weight({n, x[1], 1, 1}, static_cast<std::uint64_t>(trial), draw.of({1, 4}), 0.2f, 1.5f / std::sqrt(static_cast<float>(x[1])))};
    if (sparse::too_dense(sparse::zeros_of(inputs[1]))) continue;
    if (conv.has_bias) inputs.push_back(draw.tensor({n}));
    if (conv.has_residual) inputs.push_back(draw.tensor({x[0], n, x[2], x[3]}));
    expect_same(conv, inputs, x[1], more_for(conv.activation), x.text() + " to " + std::to_string(n) + ", " + conv.text(), {conv.residual_input()});
  }
}

struct Block {
  InvertedResidual settings;
  std::int64_t batch, height, width, channels, hidden, channels_out;
};

void expect_same(const Block& b, std::uint64_t seed, std::int64_t block, float kept) {
  const auto scale = [](std::int64_t fan_in) { return 1.5f / std::sqrt(static_cast<float>(fan_in)); };
  const std::vector<Tensor> inputs = {test::random_tensor({b.batch, b.channels, b.height, b.width}, seed),
                                      sparse_weight({b.hidden, b.channels, 1, 1}, seed + 1, block, kept, scale(b.channels)),
                                      test::random_tensor({b.hidden}, seed + 2, 1.0f, 1.0f),
                                      test::random_tensor({b.hidden, 1, 3, 3}, seed + 3, scale(9)),
                                      test::random_tensor({b.hidden}, seed + 4, 1.0f, 1.0f),
                                      sparse_weight({b.channels_out, b.hidden, 1, 1}, seed + 5, block, kept, scale(b.hidden)),
                                      test::random_tensor({b.channels_out}, seed + 6)};
  if (sparse::too_dense(sparse::Zeros(sparse::zeros_of(inputs[1])) += sparse::zeros_of(inputs[5]))) return;
  expect_same(b.settings, inputs, b.hidden, 0.0,
              b.settings.text() + ", batch " + std::to_string(b.batch) + ", " + std::to_string(b.height) + "×" + std::to_string(b.width) + ", " +
                  std::to_string(b.channels) + " → " + std::to_string(b.hidden) + " → " + std::to_string(b.channels_out) + ", blocks of " + std::to_string(block));
}

TEST(Sparse, InvertedResidualsGiveTheReferencesNumbersOnAnyShape) {
  Draw draw(63);
  for (int trial = 0; trial < 100 && !::testing::Test::HasFatalFailure(); ++trial) {
    Block b{};
    b.settings.stride = draw.coin() ? 1 : 2;
    b.batch = draw.of({1, 1, 2, 3, 5}), b.height = draw.of({1, 2, 3, 7, 8, 14, 15, 20}), b.width = draw.of({1, 2, 3, 4, 5, 7, 9, 14, 17, 30});
    b.channels = draw.of({3, 8, 16, 17, 40}), b.hidden = draw.of({5, 16, 40, 65, 144, 200});
    b.settings.has_residual = b.settings.stride == 1 && draw.coin();
    b.channels_out = b.settings.has_residual ? b.channels : draw.of({1, 7, 16, 24, 81});
    if (b.batch * b.channels_out * b.height * b.width > 1) expect_same(b, static_cast<std::uint64_t>(trial) * 10, draw.of({1, 4, 16}), 0.2f);
  }
}

TEST(Sparse, InvertedResidualsGiveTheReferencesNumbersOnBlocksOfMobileNetV2) {
  std::uint64_t seed = 700;
  for (const Block& block : {Block{{2, true, false}, 1, 112, 112, 16, 96, 24},
                             Block{{1, true, true}, 1, 56, 56, 24, 144, 24}, Block{{2, true, false}, 1, 28, 28, 32, 192, 64},
                             Block{{1, true, true}, 2, 14, 14, 96, 576, 96}, Block{{1, true, false}, 1, 7, 7, 160, 960, 320}}) {
    expect_same(block, seed += 10, 1, 0.1f);
  }
}

TEST(Sparse, EveryInstructionSetGivesTheSameProductsAsPlainLoops) {
  constexpr std::int64_t kRows = 22, kColumns = 30, kPoints = 139;
  test::on_each_target([&] {
    for (const std::int64_t block : {1, 4}) {
      PackCache packs;
      const Tensor weight = sparse_weight({kRows, kColumns}, 5, block, 0.3f, 1.0f), bias = test::random_tensor({kRows}, 6);
      const sparse::PackedWeight packed(weight, packs);
      ASSERT_EQ(packed.block(), block);
      const Tensor x = test::random_tensor({kColumns, sparse::whole_points(kPoints)}, 7);
      Tensor y(DType::f32, {kRows, sparse::whole_points(kPoints)});
      sparse::Rows rows;
      rows.x = x.as<float>().data(), rows.y = y.as<float>().data(), rows.x_ld = rows.y_ld = sparse::whole_points(kPoints);
      rows.points = kPoints, rows.bias = bias.as<float>().data(), rows.low = -1.0f, rows.high = 2.0f;
      sparse::multiply(packed, 0, packed.blocks(), rows);
      for (std::int64_t n = 0; n < kRows; ++n) {
        for (std::int64_t p = 0; p < kPoints; ++p) {
          double sum = static_cast<double>(rows.bias[n]);
          for (std::int64_t k = 0; k < kColumns; ++k) sum += static_cast<double>(weight.as<float>()[static_cast<std::size_t>(n * kColumns + k)]) * static_cast<double>(rows.x[k * rows.x_ld + p]);
          ASSERT_NEAR(rows.y[n * rows.y_ld + p], std::clamp(sum, -1.0, 2.0), 1e-5) << "row " << n << ", point " << p;
        }
      }
    }
  });
}

TEST(Sparse, MatricesAreTurnedOnEveryInstructionSet) {
  test::on_each_target([] {
    for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{1, 9}, {4, 4}, {7, 13}, {49, 16}, {3, 3}}) {
      const Tensor from = test::random_tensor({rows, columns}, 8), addend = test::random_tensor({columns, rows}, 9);
      Tensor to(DType::f32, {columns, rows});
      sparse::turn({from.as<float>().data(), columns, rows, columns, to.as<float>().data(), rows, addend.as<float>().data(), rows});
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < columns; ++c) {
          const auto at = static_cast<std::size_t>(c * rows + r);
          ASSERT_EQ(to.as<float>()[at], from.as<float>()[static_cast<std::size_t>(r * columns + c)] + addend.as<float>()[at]);
        }
      }
    }
  });
}

TEST(Sparse, TooFewZerosAreRefusedWithTheirShare) {
  Tensor weight(DType::f32, {10, 10});
  std::fill_n(weight.as<float>().begin() + 62, 38, 1.0f);
  EXPECT_EQ(call(Linear{}, "sparse", {test::random_tensor({8, 10}, 1), weight}, 1, 1).refusal, "dense: 62 % zeros, break-even 70 %");
}

}  // namespace
}  // namespace edgelab::kernels
