// Batch normalisation by the team, channels last, in training and inference, against the references.
#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"
#include "each_target.hpp"
#include "kernel_call.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "kernels/pool/global_average_pool_backward.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using testing::call;
using testing::CallResult;

constexpr std::size_t kNoConstants = 100;
constexpr ActivationKind kKinds[] = {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6};

struct Inputs {
  Tensor x, weight, bias, mean, variance, dy;
  Inputs(const Shape& shape, std::uint64_t seed, float shift = 0.0f)
      : x(random_tensor(shape, seed, 2.0f, shift)),
        weight(random_tensor({shape[1]}, seed + 1, 1.0f, 2.0f)),
        bias(random_tensor({shape[1]}, seed + 2, 1.0f, 1.0f)),
        mean(random_tensor({shape[1]}, seed + 3, 1.0f, shift)),
        variance(random_tensor({shape[1]}, seed + 4)),
        dy(random_tensor(shape, seed + 5)) {
    for (float& value : variance.as<float>()) value = 0.1f + value * value;
  }
  std::vector<Tensor> training() const { return {x, weight, bias}; }
  std::vector<Tensor> given() const { return {x, weight, bias, mean, variance}; }
  std::vector<Tensor> backward() const { return {x, weight, bias, mean, variance, dy}; }
};

// Largest |got − want| over (1 + |want|).
double difference(const Tensor& got, const Tensor& want) {
  double largest = 0;
  for (std::size_t i = 0; i < want.as<float>().size(); ++i) {
    const auto a = static_cast<double>(got.as<float>()[i]), b = static_cast<double>(want.as<float>()[i]);
    largest = std::isfinite(a) ? std::max(largest, std::abs(a - b) / (1 + std::abs(b))) : INFINITY;
  }
  return largest;
}

void compare(const Op& op, const std::vector<Tensor>& inputs, const std::vector<double>& tolerances, const std::string& what, std::size_t first_constant = kNoConstants) {
  const std::vector<Tensor> want = call(op, "reference", inputs, first_constant, 1).outputs;
  for (const int threads : {1, 2, 3}) {
    const CallResult got = call(op, "simd", inputs, first_constant, threads);
    ASSERT_EQ(got.refusal, "") << what;
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_LE(difference(got.outputs[i], want[i]), tolerances[i]) << what << ", " << op.text() << ", threads " << threads << ", output " << i;
    }
  }
}

// Sums over so many pixels may lose that many roundings of their own terms at worst, their root as a rule. Terms reach ten.
double of_sum(const Shape& x) { return 6e-7 * (8 + 4 * std::sqrt(static_cast<double>(x[0] * x[2] * x[3]))); }

void compare_all(const Shape& shape, ActivationKind kind, std::uint64_t seed) {
  const Inputs in(shape, seed);
  compare(BatchNormTraining{1e-3, kind}, in.training(), {1e-5, 2e-6, 2e-6}, shape.text());
  if (kind != ActivationKind::none) compare(BatchNorm{1e-3, kind}, in.given(), {4e-6}, shape.text());
  for (const bool frozen : {false, true}) {
    compare(BatchNormBackward{1e-3, kind, frozen}, in.backward(), {2e-5, of_sum(shape), of_sum(shape)}, shape.text());
  }
}

TEST(BatchNormSimd, GivesTheReferencesNumbersForAnyChannels) {
  std::uint64_t seed = 1;
  for (const std::int64_t channels : {1, 3, 15, 16, 17, 24, 64, 96, 255, 256, 257, 300, 1280}) {
    compare_all({2, channels, 5, 7}, kKinds[seed % 3], seed * 100);
    ++seed;
  }
}

TEST(BatchNormSimd, GivesTheReferencesNumbersForAnyNumberOfPixels) {
  std::uint64_t seed = 1;
  for (const Shape& shape : {Shape{1, 20, 1, 1}, Shape{2, 20, 1, 1}, Shape{1, 33, 1, 5}, Shape{3, 16, 9, 7}, Shape{1, 40, 64, 1}, Shape{5, 24, 13, 5}, Shape{4, 32, 40, 41}}) {
    for (const ActivationKind kind : kKinds) compare_all(shape, kind, ++seed * 100);
  }
}

TEST(BatchNormSimd, AgreesOnEveryInstructionSet) {
  test::on_each_target([] { compare_all({2, 70, 9, 5}, ActivationKind::relu6, 7); });
}

// Above 16 MB, whole vectors of channels or not.
TEST(BatchNormSimd, ResultsThatGoPastTheCachesAreTheReferences) {
  for (const std::int64_t channels : {32, 36}) compare_all({2, channels, 256, 271}, ActivationKind::relu6, 8);
}

TEST(BatchNormSimd, TakesInferencesConstants) {
  const Inputs in({2, 24, 5, 3}, 3);
  compare(BatchNorm{}, in.given(), {4e-6}, "constants", 1);
}

// A mean of a thousand deviations: what is squared are differences from it. (Squares of x itself would lose the variance altogether.)
TEST(BatchNormSimd, AMeanFarFromZeroCostsNoMoreThanItsOwnRounding) {
  const Inputs in({4, 20, 30, 30}, 11, 2000.0f);
  const std::vector<Tensor> want = call(BatchNormTraining{}, "reference", in.training(), kNoConstants, 1).outputs;
  const std::vector<Tensor> got = call(BatchNormTraining{}, "simd", in.training(), kNoConstants, 2).outputs;
  EXPECT_LE(difference(got[1], want[1]), 1e-7);
  EXPECT_LE(difference(got[2], want[2]), 1e-5);
  EXPECT_LE(difference(got[0], want[0]), 2e-4);
}

// What one side of a corner got in the forward pass is on the same side in the backward pass.
TEST(BatchNormSimd, GradientsPassExactlyWhereTheForwardPassDidNotClamp) {
  const Inputs in({3, 50, 20, 20}, 12);
  const std::vector<Tensor> out = call(BatchNormTraining{1e-5, ActivationKind::relu6}, "simd", in.training(), kNoConstants, 2).outputs;
  const Tensor again = call(BatchNorm{1e-5, ActivationKind::relu6}, "simd", {in.x, in.weight, in.bias, out[1], out[2]}, kNoConstants, 2).output;
  Tensor ones(DType::f32, in.x.shape());
  std::fill(ones.as<float>().begin(), ones.as<float>().end(), 1.0f);
  const Tensor dx = call(BatchNormBackward{1e-5, ActivationKind::relu6, true}, "simd", {in.x, in.weight, in.bias, out[1], out[2], ones}, kNoConstants, 2).output;
  std::size_t inside = 0;
  for (std::size_t i = 0; i < dx.as<float>().size(); ++i) {
    const float y = out[0].as<float>()[i];
    ASSERT_EQ(y, again.as<float>()[i]) << i;
    ASSERT_EQ(dx.as<float>()[i] != 0.0f, y > 0.0f && y < 6.0f) << i << ", " << y;
    inside += dx.as<float>()[i] != 0.0f ? 1 : 0;
  }
  EXPECT_GT(inside, dx.as<float>().size() / 4);
  EXPECT_LT(inside, dx.as<float>().size());
}

TEST(BatchNormSimd, LeavesToTheOthersWhatItDoesNotKnow) {
  const Inputs in({1, 4, 2, 2}, 1);
  EXPECT_NE(call(BatchNormTraining{1e-5, ActivationKind::gelu}, "simd", in.training(), kNoConstants, 1).refusal, "");
  EXPECT_NE(call(BatchNormBackward{1e-5, ActivationKind::gelu}, "simd", in.backward(), kNoConstants, 1).refusal, "");
  EXPECT_NE(call(BatchNorm{}, "simd", in.given(), 1, 1, {}, Layout::Kind::plain).refusal, "");
}

TEST(GlobalAveragePoolBackwardTile, GivesTheReferencesNumbers) {
  for (const std::int64_t channels : {1, 17, 64, 130}) {
    const std::vector<Tensor> inputs = {random_tensor({3, channels}, static_cast<std::uint64_t>(channels))};
    const Op op = GlobalAveragePoolBackward{5, 3};
    const Tensor want = call(op, "reference", inputs, kNoConstants, 1).output;
    for (const int threads : {1, 2, 3}) EXPECT_LE(difference(call(op, "tile", inputs, kNoConstants, threads).output, want), 1e-7) << channels;
  }
}

}  // namespace
}  // namespace edgelab::kernels
