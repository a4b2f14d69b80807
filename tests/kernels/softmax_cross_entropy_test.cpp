// The loss and its gradient: the reference against its own finite differences and against cases known by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "draw.hpp"
#include "finite_differences.hpp"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

// Rows of any sum, some entries zero.
Tensor draw_targets(Draw& draw, Shape shape) {
  Tensor targets = draw.tensor(shape);
  for (float& value : targets.as<float>()) value = std::max(value, 0.0f);
  return targets;
}

Tensor ones(Shape shape) {
  Tensor tensor(DType::f32, shape);
  std::fill(tensor.as<float>().begin(), tensor.as<float>().end(), 1.0f);
  return tensor;
}

TEST(SoftmaxCrossEntropy, ItsGradientIsTheDerivativeOfItsLoss) {
  Draw draw(1);
  for (const double temperature : {1.0, 2.5}) {
    const std::vector<Tensor> inputs = {draw.tensor({4, 7}, 2.0f), draw_targets(draw, {4, 7})};
    const SoftmaxCrossEntropy op{temperature};
    expect_derivative(op, inputs, 0, ones({4}), run_op(op, "reference", inputs, 1)[1], 1e-3, op.text());
  }
}

TEST(SoftmaxCrossEntropy, IsTheLogarithmOfTheClassesWhereAllAreAlike) {
  Tensor logits = ones({1, 10}), targets(DType::f32, {1, 10});
  targets.as<float>()[3] = 1.0f;
  for (const Implementation& implementation : SoftmaxCrossEntropy::implementations()) {
    const std::vector<Tensor> got = run_op(SoftmaxCrossEntropy{}, implementation.name, {logits, targets}, 1);
    EXPECT_NEAR(got[0].as<float>()[0], std::log(10.0), 1e-6);
    for (std::size_t c = 0; c < 10; ++c) EXPECT_NEAR(got[1].as<float>()[c], c == 3 ? -0.9 : 0.1, 1e-6);
  }
}

TEST(SoftmaxCrossEntropy, ARowOfZerosCountsNothingWhateverItsLogits) {
  Draw draw(2);
  Tensor logits = draw.tensor({3, 5}), targets = draw_targets(draw, {3, 5});
  for (std::size_t c = 5; c < 10; ++c) logits.as<float>()[c] = c == 7 ? NAN : INFINITY, targets.as<float>()[c] = 0.0f;
  for (const Implementation& implementation : SoftmaxCrossEntropy::implementations()) {
    const std::vector<Tensor> got = run_op(SoftmaxCrossEntropy{}, implementation.name, {logits, targets}, 2);
    EXPECT_EQ(got[0].as<float>()[1], 0.0f);
    for (std::size_t c = 5; c < 10; ++c) EXPECT_EQ(got[1].as<float>()[c], 0.0f);
    EXPECT_GT(got[0].as<float>()[0], 0.0f);
    EXPECT_GT(got[0].as<float>()[2], 0.0f);
  }
}

TEST(SoftmaxCrossEntropy, StaysFiniteForLargeLogits) {
  Tensor logits(DType::f32, {1, 3}), targets(DType::f32, {1, 3});
  const float values[] = {1e4f, -1e4f, 9990.0f};
  std::copy(std::begin(values), std::end(values), logits.as<float>().begin());
  targets.as<float>()[1] = 1.0f;
  for (const Implementation& implementation : SoftmaxCrossEntropy::implementations()) {
    const std::vector<Tensor> got = run_op(SoftmaxCrossEntropy{}, implementation.name, {logits, targets}, 1);
    EXPECT_NEAR(got[0].as<float>()[0], 2e4, 1e-2);
    EXPECT_NEAR(got[1].as<float>()[0], 1.0, 1e-4);
    EXPECT_NEAR(got[1].as<float>()[1], -1.0, 1e-6);
  }
}

TEST(SoftmaxCrossEntropy, DoesNotDependOnTheTeam) {
  Draw draw(3);
  const Tensor logits = draw.tensor({5, 70}, 3.0f), targets = draw_targets(draw, {5, 70});
  expect_outputs_as_reference(SoftmaxCrossEntropy{2.0}, {logits, targets}, "reference", {{}, {}}, "5 × 70");
}

TEST(SoftmaxCrossEntropy, NeedsATemperatureAboveZero) {
  const std::vector<TensorType> types = {{DType::f32, {2, 3}}, {DType::f32, {2, 3}}};
  for (const double temperature : {0.0, -1.0, std::nan("")}) EXPECT_THROW(SoftmaxCrossEntropy{temperature}.infer(types), Error);
}

}  // namespace
}  // namespace edgelab::kernels::testing
