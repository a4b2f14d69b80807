// The convolutions and the pooling that run as steps by the team, against the reference.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "each_target.hpp"
#include "kernel_call.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using test::relative_difference;
using testing::call;
using testing::CallResult;

struct Case {
  Conv2d conv;
  Shape x;
  std::int64_t out = 1, kernel = 1;

  Shape y() const {
    const auto extent = [&](int axis) { return (x[axis] + 2 * conv.padding - kernel) / conv.stride + 1; };
    return {x[0], out, extent(2), extent(3)};
  }
  std::string text() const { return x.text() + " to " + std::to_string(out) + " channels, kernel " + std::to_string(kernel) + ", " + conv.text(); }
};

void expect_same(const Case& c, std::uint64_t seed) {
  const std::int64_t products = c.x[1] / c.conv.groups * c.kernel * c.kernel;
  std::vector<Tensor> inputs = {random_tensor(c.x, seed),
                                random_tensor({c.out, c.x[1] / c.conv.groups, c.kernel, c.kernel}, seed + 1, 1.5f / std::sqrt(static_cast<float>(products)))};
  if (c.conv.has_bias) inputs.push_back(random_tensor({c.out}, seed + 2));
  if (c.conv.has_residual) inputs.push_back(random_tensor(c.y(), seed + 3));
  const Tensor want = call(c.conv, "reference", inputs, 1, 1, {c.conv.residual_input()}).output;
  // bf16: the reference rounds the operands of every convolution, the tiles those of 1×1 alone.
  const bool rounds_alike = c.conv.compute == DType::f32 || c.kernel == 1;
  // GELU is within 4e-7, of outputs whose deviation may be small.
  const double gelu = c.conv.activation == ActivationKind::gelu ? 4e-5 : 0.0;
  const double tolerance = std::numeric_limits<float>::epsilon() * (16 + 2 * std::sqrt(static_cast<double>(products))) + gelu + (rounds_alike ? 0.0 : 0x1p-5);
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(c.conv, "tile", inputs, 1, threads, {c.conv.residual_input()});
    ASSERT_EQ(got.refusal, "") << c.text();
    ASSERT_LE(relative_difference(got.output, want), tolerance) << c.text() << ", threads " << threads << ", " << got.detail;
    // Weights that change from call to call, as in training.
    const CallResult variable = call(c.conv, "tile", inputs, inputs.size(), threads);
    ASSERT_EQ(variable.refusal, "") << c.text();
    ASSERT_LE(relative_difference(variable.output, want), tolerance) << c.text() << ", threads " << threads << ", variable weights";
  }
}

std::int64_t pick(CounterRandom& random, std::initializer_list<std::int64_t> choices) { return *(choices.begin() + random.below(choices.size())); }

TEST(Conv2dTile, PointwiseConvolutionsGiveTheReferencesNumbers) {
  CounterRandom random(31);
  for (int trial = 0; trial < 80 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    c.x = {pick(random, {1, 2, 5}), pick(random, {1, 3, 16, 33, 100}), pick(random, {1, 4, 7, 15}), pick(random, {2, 7, 12, 20})};
    c.out = pick(random, {1, 7, 16, 64, 130, 320});
    c.conv.has_bias = random.below(3) != 0;
    c.conv.has_residual = random.below(3) == 0;
    c.conv.activation = c.conv.has_residual ? ActivationKind::none : static_cast<ActivationKind>(random.below(4));
    c.conv.compute = random.below(3) == 0 ? DType::bf16 : DType::f32;
    expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
  Case head;
  head.x = {1, 320, 7, 7}, head.out = 1280;
  head.conv.has_bias = true, head.conv.activation = ActivationKind::relu6;
  expect_same(head, 9000);
}

TEST(Conv2dTile, DepthwiseConvolutionsGiveTheReferencesNumbersAtEveryEdge) {
  CounterRandom random(32);
  for (int trial = 0; trial < 80 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    c.out = pick(random, {1, 5, 16, 33, 64, 100});
    c.x = {pick(random, {1, 2}), c.out, pick(random, {1, 2, 3, 8}), 1 + static_cast<std::int64_t>(random.below(20))};
    c.kernel = 3;
    c.conv = {static_cast<int>(pick(random, {1, 2})), 1, static_cast<int>(c.out), random.below(2) == 0, false, static_cast<ActivationKind>(random.below(4))};
    c.conv.compute = random.below(4) == 0 ? DType::bf16 : DType::f32;
    if (c.y().elements() > 8) expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

TEST(Conv2dTile, FirstConvolutionsReadPlainImagesAndGiveTheReferencesNumbers) {
  CounterRandom random(33);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    c.kernel = pick(random, {2, 3, 4, 5, 7});
    c.x = {pick(random, {1, 3}), pick(random, {1, 2, 3, 4}), pick(random, {7, 9, 16}), pick(random, {7, 12, 33})};
    c.out = pick(random, {2, 8, 24, 32, 70});
    c.conv = {static_cast<int>(pick(random, {1, 2, 3, 4})), static_cast<int>(pick(random, {0, 1, 3})), 1, random.below(2) == 0, false, ActivationKind::relu6};
    expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

// Above 16 MB, whole vectors of channels or not.
TEST(Conv2dTile, ResultsThatGoPastTheCachesAreTheReferences) {
  for (const std::int64_t channels : {32, 36}) {
    Case depthwise;
    depthwise.x = {2, channels, 256, 272}, depthwise.out = channels, depthwise.kernel = 3;
    depthwise.conv = {1, 1, static_cast<int>(channels)};
    expect_same(depthwise, 9100);
    Case pointwise;
    pointwise.x = {2, 8, 256, 272}, pointwise.out = channels;
    expect_same(pointwise, 9200);
  }
}

TEST(Conv2dTile, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    for (const int stride : {1, 2}) {
      Case depthwise;
      depthwise.x = {2, 37, 6, 9}, depthwise.out = 37, depthwise.kernel = 3;
      depthwise.conv = {stride, 1, 37};
      expect_same(depthwise, 9300);
    }
    Case pointwise;
    pointwise.x = {2, 40, 6, 9}, pointwise.out = 24;
    expect_same(pointwise, 9400);
  });
}

TEST(Conv2dTile, WhatItHasNoTileForIsRefusedWithAReason) {
  const auto refusal = [](Conv2d conv, Shape x, Shape w) { return call(conv, "tile", {random_tensor(x, 1), random_tensor(w, 2)}, 1, 1).refusal; };
  EXPECT_NE(refusal({1, 1}, {1, 8, 5, 5}, {4, 8, 3, 3}), "");
  EXPECT_NE(refusal({1, 0, 2}, {1, 8, 5, 5}, {4, 4, 1, 1}), "");
  EXPECT_NE(refusal({3, 1, 8}, {1, 8, 5, 5}, {8, 1, 3, 3}), "");
  EXPECT_NE(call(Conv2d{}, "tile", {random_tensor({1, 8, 5, 5}, 1), random_tensor({4, 8, 1, 1}, 2)}, 0, 1).refusal, "");  // a constant image
}

TEST(GlobalAveragePoolTile, GivesTheReferencesNumbersForAnyChannelsAndSize) {
  for (const std::int64_t channels : {1, 3, 63, 64, 65, 130, 1280}) {
    for (const std::int64_t size : {1, 2, 7}) {
      const std::vector<Tensor> inputs = {random_tensor({3, channels, size, size + 1}, static_cast<std::uint64_t>(channels + size))};
      const Tensor want = call(GlobalAveragePool{}, "reference", inputs, 1, 1).output;
      for (const int threads : {1, 2, 3}) {
        EXPECT_LE(relative_difference(call(GlobalAveragePool{}, "tile", inputs, 1, threads).output, want), 1e-6) << channels << " channels, " << size;
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::kernels
