// Batch normalisation in training and its gradient, and that of the average pool: the references against finite differences.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "finite_differences.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/batch_norm_backward/batch_norm_backward.hpp"
#include "kernels/batch_norm_training/batch_norm_training.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "kernels/pool/global_average_pool_backward.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using testing::run_op;

constexpr ActivationKind kKinds[] = {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::gelu};
constexpr float kDistance = 1.0f / 128;

bool near_a_corner(float z) { return std::abs(z) < 0.1f || std::abs(z - 6.0f) < 0.1f; }

// Inputs for which no activation's argument is so near a corner that a small step leads across; with values on all three
// sides of relu6's corners.
struct Inputs {
  Tensor x, weight, bias, mean, variance, dy;
  Inputs(const Shape& shape, bool frozen, std::uint64_t seed) {
    for (bool apart = false; !apart; ++seed) {
      const Shape channels{shape[1]};
      x = random_tensor(shape, seed, 2.0f, 0.5f);
      weight = random_tensor(channels, seed + 100, 0.3f, 4.0f);
      bias = random_tensor(channels, seed + 200, 1.0f, 2.0f);
      dy = random_tensor(shape, seed + 300);
      const std::vector<Tensor> batch = run_op(BatchNormTraining{}, "reference", {x, weight, bias}, 1);
      mean = frozen ? random_tensor(channels, seed + 400) : batch[1];
      variance = frozen ? random_tensor(channels, seed + 500, 0.1f, 2.0f) : batch[2];
      const Tensor z = run_op(BatchNorm{}, "reference", {x, weight, bias, mean, variance}, 1).front();
      apart = std::none_of(z.as<float>().begin(), z.as<float>().end(), near_a_corner);
    }
  }
  std::vector<Tensor> backward() const { return {x, weight, bias, mean, variance, dy}; }
};

TEST(BatchNormBackward, TheReferenceIsTheDerivativeOfTheForwardReferences) {
  std::uint64_t seed = 1;
  for (const ActivationKind kind : kKinds) {
    for (const bool frozen : {false, true}) {
      const Inputs in({2, 2, 2, 3}, frozen, seed += 1000);
      const BatchNormBackward op{.epsilon = 1e-2, .activation = kind, .frozen = frozen};
      const std::vector<Tensor> gradients = run_op(op, "reference", in.backward(), 2);
      std::vector<Tensor> inputs = {in.x, in.weight, in.bias};
      if (frozen) inputs.insert(inputs.end(), {in.mean, in.variance});
      const Op forward = frozen ? Op(BatchNorm{1e-2, kind}) : Op(BatchNormTraining{1e-2, kind});
      for (std::size_t which = 0; which < 3; ++which) {
        testing::expect_finite_differences(forward, inputs, which, in.dy, gradients[which], kDistance, 1e-3, op.text());
      }
    }
  }
}

TEST(BatchNormBackward, AtACornerTheGradientIsZero) {
  // Weight 1, bias 0, mean 0, variance 1 without epsilon: the activation's argument is x itself.
  Tensor x(DType::f32, {1, 1, 1, 5}), one(DType::f32, {1}), zero(DType::f32, {1}), dy(DType::f32, {1, 1, 1, 5});
  const float values[] = {-1.0f, 0.0f, 3.0f, 6.0f, 7.0f};
  std::copy(std::begin(values), std::end(values), x.as<float>().begin());
  std::fill(dy.as<float>().begin(), dy.as<float>().end(), 1.0f);
  one.as<float>()[0] = 1.0f;
  for (const auto& [kind, want] : {std::pair{ActivationKind::relu6, std::array{0.0f, 0.0f, 1.0f, 0.0f, 0.0f}},
                                   std::pair{ActivationKind::relu, std::array{0.0f, 0.0f, 1.0f, 1.0f, 1.0f}}}) {
    const Tensor dx = run_op(BatchNormBackward{0.0, kind, true}, "reference", {x, one, zero, zero, one, dy}, 1).front();
    for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(dx.as<float>()[i], want[i]) << name_of(kind) << " at " << values[i];
  }
}

TEST(BatchNormTraining, ItsStatisticsAndResultAreThoseOfItsDefinition) {
  const Shape shape{3, 2, 4, 5};
  const Tensor x = random_tensor(shape, 7, 3.0f, 1.0f), weight = random_tensor({2}, 8), bias = random_tensor({2}, 9);
  const std::vector<Tensor> out = run_op(BatchNormTraining{1e-3, ActivationKind::relu6}, "reference", {x, weight, bias}, 2);
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      const auto value = static_cast<double>(x.as<float>()[(i / 20 * 2 + c) * 20 + i % 20]);
      sum += value, squares += value * value;
    }
    const double mean = sum / 60, variance = squares / 60 - mean * mean;
    EXPECT_NEAR(out[1].as<float>()[c], mean, 1e-6);
    EXPECT_NEAR(out[2].as<float>()[c], variance, 1e-5);
  }
  // BatchNorm computes the same again from the statistics.
  const Tensor again = run_op(BatchNorm{1e-3, ActivationKind::relu6}, "reference", {x, weight, bias, out[1], out[2]}, 2).front();
  EXPECT_LE(test::relative_difference(out[0], again), 1e-6);
}

TEST(GlobalAveragePoolBackward, TheReferenceIsTheDerivativeOfTheForwardReference) {
  const Tensor x = random_tensor({2, 3, 4, 2}, 1), dy = random_tensor({2, 3}, 2);
  const Tensor dx = run_op(GlobalAveragePoolBackward{4, 2}, "reference", {dy}, 2).front();
  testing::expect_finite_differences(GlobalAveragePool{}, {x}, 0, dy, dx, 1.0f, 1e-6, "pool");
}

}  // namespace
}  // namespace edgelab::kernels
