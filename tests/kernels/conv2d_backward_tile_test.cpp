// The gradients of convolutions that run as steps by the team, against the references.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "each_target.hpp"
#include "kernel_call.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using test::relative_difference;
using testing::call;
using testing::CallResult;

constexpr std::size_t kNoConstants = 100;

struct Case {
  Shape x, w;
  int stride = 1, padding = 0, groups = 1;
  DType compute = DType::f32;

  Conv2dBackwardData data() const { return {stride, padding, groups, x[2], x[3], compute}; }
  Conv2dBackwardWeights weights() const { return {stride, padding, groups, w[2], w[3], false, compute}; }
  Shape y() const {
    const auto extent = [&](int axis) { return (x[axis] + 2 * padding - w[axis]) / stride + 1; };
    return {x[0], w[0], extent(2), extent(3)};
  }
  std::string text() const { return x.text() + " by " + w.text() + ", " + data().forward().text(); }
  // bf16: the depthwise kernels compute in f32, the reference rounds the operands of every convolution.
  bool rounds_alike() const { return compute == DType::f32 || w[2] == 1; }
};

// The roundings of a sum of `terms` products, over its own deviation.
double tolerance_of(std::int64_t terms, const Case& c) {
  return std::numeric_limits<float>::epsilon() * (16 + 2 * std::sqrt(static_cast<double>(terms))) + (c.rounds_alike() ? 0.0 : 0x1p-5);
}

void compare(const Op& op, std::string_view implementation, const std::vector<Tensor>& inputs, double tolerance, const std::string& what) {
  const Tensor want = call(op, "reference", inputs, kNoConstants, 1).output;
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(op, implementation, inputs, kNoConstants, threads);
    ASSERT_EQ(got.refusal, "") << what;
    ASSERT_LE(relative_difference(got.output, want), tolerance) << what << ", " << op.name() << ", threads " << threads << ", " << got.detail;
  }
}

void compare_data(const Case& c, std::uint64_t seed) {
  const std::int64_t terms = c.w[0] / c.groups * c.w[2] * c.w[3];
  compare(c.data(), "tile", {random_tensor(c.y(), seed), random_tensor(c.w, seed + 1)}, tolerance_of(terms, c), c.text());
}

void compare_weights(const Case& c, std::uint64_t seed) {
  const Shape y = c.y();
  compare(c.weights(), c.groups > 1 ? "simd" : "tile", {random_tensor(c.x, seed), random_tensor(y, seed + 1)}, tolerance_of(y[0] * y[2] * y[3], c), c.text());
}

std::int64_t pick(CounterRandom& random, std::initializer_list<std::int64_t> choices) { return *(choices.begin() + random.below(choices.size())); }

TEST(Conv2dBackwardTile, PointwiseGradientsGiveTheReferencesNumbers) {
  CounterRandom random(41);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    c.x = {pick(random, {1, 2, 5}), pick(random, {1, 3, 16, 24, 33, 100}), pick(random, {1, 4, 7, 15}), pick(random, {2, 7, 12, 20})};
    c.w = {pick(random, {1, 7, 16, 24, 64, 130}), c.x[1], 1, 1};
    c.compute = random.below(3) == 0 ? DType::bf16 : DType::f32;
    const auto seed = static_cast<std::uint64_t>(trial) * 10;
    if (c.x.elements() > 8) compare_data(c, seed);
    if (c.w.elements() > 8) compare_weights(c, seed + 5);
  }
  compare_weights({{4, 96, 30, 30}, {24, 96, 1, 1}}, 9000);   // several blocks of pixels a thread
  compare_weights({{1, 160, 7, 7}, {320, 160, 1, 1}}, 9001);  // one
  compare_data({{1, 160, 7, 7}, {320, 160, 1, 1}}, 9002);
}

TEST(Conv2dBackwardTile, DepthwiseGradientsGiveTheReferencesNumbersAtEveryEdge) {
  CounterRandom random(42);
  for (int trial = 0; trial < 100 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    const std::int64_t channels = pick(random, {2, 5, 16, 33, 64, 100});
    c.x = {pick(random, {1, 2}), channels, pick(random, {1, 2, 3, 8}), 1 + static_cast<std::int64_t>(random.below(20))};
    c.w = {channels, 1, 3, 3};
    c.stride = static_cast<int>(pick(random, {1, 2})), c.padding = 1, c.groups = static_cast<int>(channels);
    c.compute = random.below(4) == 0 ? DType::bf16 : DType::f32;
    const auto seed = static_cast<std::uint64_t>(trial) * 10;
    if (c.x.elements() > 8) compare_data(c, seed);
    compare_weights(c, seed + 5);
  }
}

TEST(Conv2dBackwardTile, AFirstConvolutionsWeightsGetTheReferencesNumbers) {
  CounterRandom random(43);
  for (int trial = 0; trial < 50 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c;
    const std::int64_t kernel = pick(random, {2, 3, 4, 5, 7});
    c.x = {pick(random, {1, 3}), pick(random, {1, 2, 3, 4}), pick(random, {7, 9, 16}), pick(random, {7, 12, 33})};
    c.w = {pick(random, {2, 8, 24, 32, 70}), c.x[1], kernel, kernel};
    c.stride = static_cast<int>(pick(random, {1, 2, 3, 4})), c.padding = static_cast<int>(pick(random, {0, 1, 3}));
    compare_weights(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

// Above 16 MB, whole vectors of channels or not.
TEST(Conv2dBackwardTile, ResultsThatGoPastTheCachesAreTheReferences) {
  for (const std::int64_t channels : {32, 36}) {
    for (const int stride : {1, 2}) compare_data({{2, channels, 256, 271}, {channels, 1, 3, 3}, stride, 1, static_cast<int>(channels)}, 60);
    compare_data({{2, channels, 256, 271}, {8, channels, 1, 1}}, 61);
  }
}

TEST(Conv2dBackwardTile, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    for (const int stride : {1, 2}) {
      compare_data({{2, 37, 6, 9}, {37, 1, 3, 3}, stride, 1, 37}, 50);
      compare_weights({{2, 37, 6, 9}, {37, 1, 3, 3}, stride, 1, 37}, 51);
    }
    compare_data({{2, 40, 6, 9}, {70, 40, 1, 1}}, 52);
    compare_weights({{2, 40, 6, 9}, {70, 40, 1, 1}}, 53);
    compare_weights({{2, 3, 11, 9}, {20, 3, 3, 3}, 2, 1}, 54);
  });
}

TEST(Conv2dBackwardTile, WhatItHasNoTileForIsRefusedWithAReason) {
  const Tensor x = random_tensor({1, 8, 5, 5}, 1), y = random_tensor({1, 8, 5, 5}, 2), w = random_tensor({8, 8, 3, 3}, 3);
  EXPECT_NE(call(Conv2dBackwardData{1, 1, 1, 5, 5}, "tile", {y, w}, kNoConstants, 1).refusal, "");
  EXPECT_NE(call(Conv2dBackwardWeights{1, 1, 1, 3, 3}, "tile", {x, y}, kNoConstants, 1).refusal, "");
  EXPECT_NE(call(Conv2dBackwardWeights{1, 1, 1, 3, 3}, "simd", {x, y}, kNoConstants, 1).refusal, "");
  EXPECT_NE(call(Conv2dBackwardWeights{1, 0, 1, 1, 1, true}, "tile", {x, y}, kNoConstants, 1).refusal, "");
}

}  // namespace
}  // namespace edgelab::kernels
