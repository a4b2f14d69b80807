// The gradients of a convolution: the references against finite differences of the forward reference.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "finite_differences.hpp"
#include "kernels/conv2d_backward/conv2d_backward_data.hpp"
#include "kernels/conv2d_backward/conv2d_backward_weights.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using testing::run_op;

struct Case {
  Shape x, w;
  int stride = 1, padding = 0, groups = 1;
  DType compute = DType::f32;

  Conv2d forward(bool bias) const { return {.stride = stride, .padding = padding, .groups = groups, .has_bias = bias, .compute = compute}; }
  Conv2dBackwardData data() const { return {stride, padding, groups, x[2], x[3], compute}; }
  Conv2dBackwardWeights weights(bool bias) const { return {stride, padding, groups, w[2], w[3], bias, compute}; }
  Shape y() const {
    const auto extent = [&](int axis) { return (x[axis] + 2 * padding - w[axis]) / stride + 1; };
    return {x[0], w[0], extent(2), extent(3)};
  }
  std::string text() const { return x.text() + " by " + w.text() + ", " + forward(false).text(); }
};

struct Inputs {
  Tensor x, w, bias, dy;
  Inputs(const Case& c, std::uint64_t seed)
      : x(random_tensor(c.x, seed)), w(random_tensor(c.w, seed + 1)), bias(random_tensor({c.w[0]}, seed + 2)), dy(random_tensor(c.y(), seed + 3)) {}
};

const std::vector<Case>& small_cases() {
  static const std::vector<Case> cases = {
      {{2, 3, 5, 4}, {4, 3, 3, 3}, 1, 1},          // the usual one
      {{2, 3, 6, 7}, {4, 3, 3, 3}, 2, 1},          // a stride that leaves pixels over on one side
      {{1, 2, 8, 7}, {3, 2, 2, 3}, 3, 0},          // a stride above the kernel's height: rows that nothing reads
      {{1, 4, 5, 6}, {4, 1, 3, 3}, 1, 1, 4},       // depthwise
      {{2, 4, 6, 5}, {4, 1, 3, 3}, 2, 1, 4},       // depthwise, stride 2
      {{1, 4, 4, 5}, {6, 2, 3, 3}, 1, 1, 2},       // groups of several channels
      {{2, 3, 4, 3}, {5, 3, 1, 1}, 1, 0},          // 1×1
      {{1, 2, 3, 4}, {2, 2, 3, 3}, 1, 3},          // outputs that see nothing but padding
      {{1, 2, 5, 5}, {3, 2, 5, 5}, 1, 0},          // one pixel left
  };
  return cases;
}

// A convolution is linear in x, w and bias: any distance gives the derivative, but for what the output's rounding loses.
TEST(Conv2dBackward, TheReferencesAreTheDerivativesOfTheForwardReference) {
  std::uint64_t seed = 1;
  for (const Case& c : small_cases()) {
    const Inputs in(c, seed += 10);
    const Tensor dx = run_op(c.data(), "reference", {in.dy, in.w}, 2).front();
    testing::expect_finite_differences(c.forward(false), {in.x, in.w}, 0, in.dy, dx, 1.0f, 2e-5, c.text());
    const std::vector<Tensor> gradients = run_op(c.weights(true), "reference", {in.x, in.dy}, 2);
    testing::expect_finite_differences(c.forward(true), {in.x, in.w, in.bias}, 1, in.dy, gradients[0], 1.0f, 5e-5, c.text());
    testing::expect_finite_differences(c.forward(true), {in.x, in.w, in.bias}, 2, in.dy, gradients[1], 1.0f, 5e-5, c.text());
  }
}

Tensor rounded(const Tensor& x) {
  Tensor y = x.clone();
  for (float& value : y.as<float>()) value = bf16_to_float(float_to_bf16(value));
  return y;
}

TEST(Conv2dBackward, InBf16TheReferencesRoundTheOperandsAndNotTheSums) {
  Case c = small_cases()[1];
  const Inputs in(c, 500);
  const Tensor x = rounded(in.x), w = rounded(in.w), dy = rounded(in.dy);
  const Tensor dx = run_op(c.data(), "reference", {dy, w}, 1).front(), dw = run_op(c.weights(false), "reference", {x, dy}, 1).front();
  EXPECT_NE(test::relative_difference(run_op(c.data(), "reference", {in.dy, in.w}, 1).front(), dx), 0.0);
  c.compute = DType::bf16;
  EXPECT_EQ(test::relative_difference(run_op(c.data(), "reference", {in.dy, in.w}, 1).front(), dx), 0.0);
  EXPECT_EQ(test::relative_difference(run_op(c.weights(false), "reference", {in.x, in.dy}, 1).front(), dw), 0.0);
}

TEST(Conv2dBackward, ShapesThatNoForwardConvolutionHasAreRefused) {
  const auto infer = [](const Op& op, Shape first, Shape second) {
    const TensorType types[] = {{DType::f32, first}, {DType::f32, second}};
    return op.infer(types);
  };
  EXPECT_EQ(infer(Conv2dBackwardData{2, 1, 1, 7, 8}, {1, 5, 4, 4}, {5, 3, 3, 3}).front().shape, (Shape{1, 3, 7, 8}));
  EXPECT_THROW(infer(Conv2dBackwardData{2, 1, 1, 9, 8}, {1, 5, 4, 4}, {5, 3, 3, 3}), Error);
  EXPECT_THROW(infer(Conv2dBackwardData{1, 1, 1, 4, 4}, {1, 6, 4, 4}, {5, 3, 3, 3}), Error);
  EXPECT_EQ(infer(Conv2dBackwardWeights{1, 0, 2, 3, 1}, {2, 4, 5, 5}, {2, 6, 3, 5}).front().shape, (Shape{6, 2, 3, 1}));
  EXPECT_THROW(infer(Conv2dBackwardWeights{1, 0, 3, 3, 1}, {2, 4, 5, 5}, {2, 6, 3, 5}), Error);
  EXPECT_THROW(infer(Conv2dBackwardWeights{1, 0, 1, 3, 3}, {2, 4, 5, 5}, {2, 6, 3, 5}), Error);
}

}  // namespace
}  // namespace edgelab::kernels
