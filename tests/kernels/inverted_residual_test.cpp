#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/random.hpp"
#include "kernel_call.hpp"
#include "kernels/inverted_residual/inverted_residual.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using testing::call;
using testing::CallResult;
using test::random_tensor;
using test::relative_difference;

struct Case {
  InvertedResidual settings;
  std::int64_t batch, height, width, channels, hidden, channels_out, kernel = 1;  // of the expansion

  std::string text() const {
    return settings.text() + ", batch " + std::to_string(batch) + ", " + std::to_string(height) + "×" + std::to_string(width) + ", channels " +
           std::to_string(channels) + (kernel > 1 ? " by " + std::to_string(kernel) + "×" + std::to_string(kernel) : "") + " → " + std::to_string(hidden) + " → " + std::to_string(channels_out);
  }
};

// Weights of a size that keeps every stage within ReLU6's range for about half of its values.
std::vector<Tensor> inputs_of(const Case& c, std::uint64_t seed) {
  const auto scale = [](std::int64_t fan_in) { return 1.5f / std::sqrt(static_cast<float>(fan_in)); };
  std::vector<Tensor> inputs = {random_tensor({c.batch, c.channels, c.height, c.width}, seed)};
  if (c.settings.expand) {
    inputs.push_back(random_tensor({c.hidden, c.channels, c.kernel, c.kernel}, seed + 1, scale(c.channels * c.kernel * c.kernel)));
    inputs.push_back(random_tensor({c.hidden}, seed + 2, 1.0f, 1.0f));
  }
  inputs.push_back(random_tensor({c.hidden, 1, 3, 3}, seed + 3, scale(9)));
  inputs.push_back(random_tensor({c.hidden}, seed + 4, 1.0f, 1.0f));
  inputs.push_back(random_tensor({c.channels_out, c.hidden, 1, 1}, seed + 5, scale(c.hidden)));
  inputs.push_back(random_tensor({c.channels_out}, seed + 6));
  return inputs;
}

// Three stages of sums of k products each, each sum within √k roundings.
double tolerance(const Case& c) {
  const double rounding = std::numeric_limits<float>::epsilon() * (16 + 2 * std::sqrt(static_cast<double>(c.hidden)));
  // Both sides round to bf16 what they then multiply; where that lies near a tie, one product differs by one step of bf16.
  return c.settings.compute == DType::bf16 ? rounding + 0x1p-7 : rounding;
}

void expect_same(const Case& c, std::uint64_t seed) {
  const std::vector<Tensor> inputs = inputs_of(c, seed);
  const Tensor want = call(c.settings, "reference", inputs, 1, 1).output;
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(c.settings, "tile", inputs, 1, threads);
    ASSERT_EQ(got.refusal, "") << c.text();
    ASSERT_LE(relative_difference(got.output, want), tolerance(c)) << c.text() << ", threads " << threads << ", " << got.detail;
  }
}

std::int64_t pick(CounterRandom& random, std::initializer_list<std::int64_t> choices) { return *(choices.begin() + random.below(choices.size())); }

Case random_case(CounterRandom& random) {
  Case c{};
  c.settings.stride = random.below(2) == 0 ? 1 : 2;
  c.settings.expand = random.below(4) != 0;
  c.batch = pick(random, {1, 1, 2, 3, 5});
  c.height = pick(random, {1, 2, 3, 7, 8, 14, 15, 20});
  c.width = pick(random, {1, 2, 3, 4, 5, 7, 9, 14, 17, 30});
  c.channels = pick(random, {1, 3, 8, 16, 17, 24, 40});
  c.hidden = c.settings.expand ? pick(random, {1, 5, 16, 40, 65, 96, 144, 200}) : c.channels;
  c.settings.has_residual = c.settings.stride == 1 && random.below(2) == 0;
  c.channels_out = c.settings.has_residual ? c.channels : pick(random, {1, 7, 16, 24, 81});
  return c;
}

TEST(InvertedResidual, TilesGiveTheReferencesNumbersOnAnyShape) {
  CounterRandom random(21);
  for (int trial = 0; trial < 120 && !::testing::Test::HasFatalFailure(); ++trial) {
    const Case c = random_case(random);
    if (c.batch * c.channels_out * c.height * c.width > 1) expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

TEST(InvertedResidual, TilesGiveTheReferencesNumbersBehindAFirstConvolution) {
  CounterRandom random(23);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c{};
    c.settings = {random.below(2) == 0 ? 1 : 2, true, false};
    c.settings.expand_stride = static_cast<int>(pick(random, {1, 2, 3}));
    c.settings.expand_padding = static_cast<int>(pick(random, {0, 1, 2}));
    c.settings.compute = random.below(4) == 0 ? DType::bf16 : DType::f32;
    c.kernel = pick(random, {2, 3, 5});
    c.batch = pick(random, {1, 2, 3});
    c.height = pick(random, {6, 9, 17}), c.width = pick(random, {5, 8, 33});
    c.channels = pick(random, {1, 3, 4});
    c.hidden = pick(random, {3, 16, 32, 70});
    c.channels_out = pick(random, {2, 16, 24});
    expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

TEST(InvertedResidual, TilesInBf16AreWithinOneRoundingOfTheReference) {
  CounterRandom random(22);
  for (int trial = 0; trial < 60 && !::testing::Test::HasFatalFailure(); ++trial) {
    Case c = random_case(random);
    c.settings.compute = DType::bf16;
    if (c.batch * c.channels_out * c.height * c.width > 100) expect_same(c, static_cast<std::uint64_t>(trial) * 10);
  }
}

TEST(InvertedResidual, TilesGiveTheReferencesNumbersOnEveryBlockOfMobileNetV2) {
  const Case blocks[] = {
      {{1, false, false}, 1, 112, 112, 32, 32, 16}, {{2, true, false}, 1, 112, 112, 16, 96, 24}, {{1, true, true}, 1, 56, 56, 24, 144, 24},
      {{2, true, false}, 1, 56, 56, 24, 144, 32},   {{1, true, true}, 1, 28, 28, 32, 192, 32},   {{2, true, false}, 1, 28, 28, 32, 192, 64},
      {{1, true, true}, 1, 14, 14, 64, 384, 64},    {{1, true, true}, 2, 14, 14, 96, 576, 96},   {{2, true, false}, 1, 14, 14, 96, 576, 160},
      {{1, true, true}, 4, 7, 7, 160, 960, 160},    {{1, true, false}, 1, 7, 7, 160, 960, 320},
  };
  std::uint64_t seed = 5000;
  for (const Case& block : blocks) expect_same(block, seed += 10);
  Case first{{1, true, false}, 1, 224, 224, 3, 32, 16, 3};
  first.settings.expand_stride = 2, first.settings.expand_padding = 1;
  expect_same(first, seed);
}

TEST(InvertedResidual, TheReferenceIsTheThreeConvolutionsOfThePaper) {
  // One pixel, two channels in, one hidden channel: by hand.
  const auto tensor = [](Shape shape, std::initializer_list<float> values) {
    Tensor t(DType::f32, shape);
    std::copy(values.begin(), values.end(), t.as<float>().begin());
    return t;
  };
  const std::vector<Tensor> inputs = {tensor({1, 2, 1, 1}, {2, 3}),      tensor({1, 2, 1, 1}, {1, 2}), tensor({1}, {-1}),
                                      tensor({1, 1, 3, 3}, {9, 9, 9, 9, 0.5f, 9, 9, 9, 9}), tensor({1}, {1}),
                                      tensor({2, 1, 1, 1}, {2, -1}),     tensor({2}, {0.25f, 0})};
  // e = relu6(2 + 6 − 1) = 6, d = relu6(3 + 1) = 4, y = {8.25, −4} + x.
  const Tensor y = call(InvertedResidual{1, true, true}, "reference", inputs, 1, 1).output;
  EXPECT_EQ(y.as<float>()[0], 10.25f);
  EXPECT_EQ(y.as<float>()[1], -1.0f);
}

TEST(InvertedResidual, InputsThatDontFitAreRefused) {
  const Case good{{1, true, true}, 1, 4, 4, 8, 48, 8};
  const auto kind_of_error = [&](InvertedResidual settings, std::size_t changed, Shape shape) {
    std::vector<TensorType> types;
    for (const Tensor& input : inputs_of(good, 1)) types.push_back({input.dtype(), input.shape()});
    if (changed < types.size()) types[changed].shape = shape;
    try {
      settings.infer(types);
      return std::string("none");
    } catch (const Error& error) {
      return std::string(error.kind() == ErrorKind::data ? "data" : "other");
    }
  };
  EXPECT_EQ(kind_of_error({1, true, true}, 99, {}), "none");
  EXPECT_EQ(kind_of_error({2, true, true}, 99, {}), "data");
  EXPECT_EQ(kind_of_error({3, true, false}, 99, {}), "data");
  EXPECT_EQ(kind_of_error({1, false, true}, 99, {}), "data");
  EXPECT_EQ(kind_of_error({1, true, true}, 1, {48, 9, 1, 1}), "data");
  EXPECT_EQ(kind_of_error({1, true, true}, 3, {48, 1, 5, 5}), "data");
  EXPECT_EQ(kind_of_error({1, true, true}, 5, {9, 48, 1, 1}), "data");
}

TEST(InvertedResidual, TilesWantConstantWeights) {
  const Case c{{1, true, true}, 1, 4, 4, 8, 48, 8};
  EXPECT_NE(call(c.settings, "tile", inputs_of(c, 1), 99, 1).refusal, "");
}

}  // namespace
}  // namespace edgelab::kernels
