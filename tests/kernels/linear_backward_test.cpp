// Linear's gradients: the references against finite differences of the forward reference, the fast ones against the references.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "draw.hpp"
#include "each_target.hpp"
#include "finite_differences.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/linear_backward/linear_backward_data.hpp"
#include "kernels/linear_backward/linear_backward_weights.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

TEST(LinearBackward, TheReferencesAreTheDerivativesOfTheForwardReference) {
  Draw draw(1);
  for (const Shape& x : {Shape{4, 5}, Shape{2, 3, 4}, Shape{6}}) {
    const Linear forward{true};
    const std::vector<Tensor> inputs = {draw.tensor(x), draw.tensor({3, x.back()}), draw.tensor({3})};
    Shape y = x;
    y[x.rank() - 1] = 3;
    const Tensor dy = draw.tensor(y);
    const std::vector<Tensor> data = run_op(LinearBackwardData{}, "reference", {dy, inputs[1]}, 2);
    expect_derivative(forward, inputs, 0, dy, data[0], 1e-4, x.text());
    const std::vector<Tensor> weights = run_op(LinearBackwardWeights{true}, "reference", {inputs[0], dy}, 2);
    expect_derivative(forward, inputs, 1, dy, weights[0], 1e-4, x.text());
    expect_derivative(forward, inputs, 2, dy, weights[1], 1e-4, x.text());
  }
}

TEST(LinearBackward, GoesThroughTheActivationBeforeTheLayer) {
  Draw draw(7);
  const Tensor z = draw.tensor({4, 6}, 2.0f), w = draw.tensor({3, 6}), dy = draw.tensor({4, 3});
  LinearBackwardData through;
  through.activation = ActivationKind::gelu;
  const Tensor got = run_op(through, "reference", {dy, w, z}, 1).front();
  const Tensor dx = run_op(LinearBackwardData{}, "reference", {dy, w}, 1).front();
  const Tensor want = run_op(ActivationBackward{ActivationKind::gelu}, "reference", {z, dx}, 1).front();
  expect_near(got, want, {1e-6, 1e-6}, "through gelu");
}

TEST(LinearBackward, InBf16RoundsTheOperandsOfProductsOnly) {
  // 1 + 2^-8 is not a bf16: it rounds to 1.
  const auto one = [](float value) {
    Tensor tensor(DType::f32, {1, 1});
    tensor.as<float>()[0] = value;
    return tensor;
  };
  LinearBackwardData data;
  data.compute = DType::bf16;
  EXPECT_EQ(run_op(data, "reference", {one(1.00390625f), one(3.0f)}, 1)[0].as<float>()[0], 3.0f);
  LinearBackwardWeights weights{true};
  weights.compute = DType::bf16;
  const std::vector<Tensor> outputs = run_op(weights, "reference", {one(3.0f), one(1.00390625f)}, 1);
  EXPECT_EQ(outputs[0].as<float>()[0], 3.0f);
  EXPECT_EQ(outputs[1].as<float>()[0], 1.00390625f);
}

Shape leading(Draw& draw, std::int64_t last) {
  if (draw.coin()) return {draw.of({1, 2, 8, 31, 300, 700}), last};
  return {draw.of({1, 2, 3}), draw.of({1, 5, 50, 197}), last};
}

void compare_data(Draw& draw, const Shape& dy, std::int64_t k, DType compute) {
  LinearBackwardData op;
  op.compute = compute;
  op.activation = static_cast<ActivationKind>(draw.of({0, 0, 1, 2, 3}));
  std::vector<Tensor> inputs = {draw.tensor(dy), draw.tensor({dy.back(), k}, 0.3f)};
  Shape dx = dy;
  dx[dy.rank() - 1] = k;
  if (op.activation != ActivationKind::none) inputs.push_back(draw.tensor(dx, 2.0f));
  expect_outputs_as_reference(op, inputs, "tile", {product_tolerance(dy.back(), compute)}, dy.text() + " to " + std::to_string(k));
}

void compare_weights(Draw& draw, const Shape& x, std::int64_t n, DType compute) {
  LinearBackwardWeights op{draw.coin()};
  op.compute = compute;
  Shape dy = x;
  dy[x.rank() - 1] = n;
  std::vector<Tensor> inputs = {draw.tensor(x), draw.tensor(dy)};
  if (compute == DType::bf16 && draw.coin()) inputs[0] = tile_gemm::rounded_to_bf16(inputs[0]);
  const std::int64_t rows = inputs[0].elements() / x.back();
  expect_outputs_as_reference(op, inputs, "tile", {product_tolerance(rows, compute), product_tolerance(rows, DType::f32)}, x.text() + " and " + dy.text());
}

TEST(LinearBackwardDataTile, GivesTheReferencesNumbersForManyRowsAndFew) {
  Draw draw(2);
  for (int trial = 0; trial < 50 && !::testing::Test::HasFatalFailure(); ++trial) {
    compare_data(draw, leading(draw, draw.of({1, 3, 17, 64, 192, 401})), draw.of({1, 10, 64, 65, 100, 192, 333}), draw.compute());
  }
}

TEST(LinearBackwardWeightsTile, GivesTheReferencesNumbersForManyRowsAndFew) {
  Draw draw(3);
  for (int trial = 0; trial < 50 && !::testing::Test::HasFatalFailure(); ++trial) {
    compare_weights(draw, leading(draw, draw.of({1, 3, 17, 64, 192, 401})), draw.of({1, 10, 64, 65, 100, 192, 333}), draw.compute());
  }
}

TEST(LinearBackwardWeightsTile, CutsWhatDoesNotFitIntoL2) {
  Draw draw(4);
  for (const DType compute : {DType::f32, DType::bf16}) {
    compare_weights(draw, {70, 800}, 30, compute);
    compare_weights(draw, {70, 30}, 800, compute);
    compare_weights(draw, {19, 500}, 500, compute);
  }
}

TEST(LinearBackwardTile, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    Draw draw(5);
    for (const DType compute : {DType::f32, DType::bf16}) {
      compare_data(draw, {33, 70}, 50, compute);
      compare_weights(draw, {301, 70}, 50, compute);
    }
  });
}

TEST(LinearBackwardDataTile, TakesAWeightThatIsKnown) {
  Draw draw(6);
  const std::vector<Tensor> inputs = {draw.tensor({20, 30}), draw.tensor({30, 40})};
  const std::vector<Tensor> known = run_op(LinearBackwardData{}, "tile", inputs, 2, nullptr, 1), given = run_op(LinearBackwardData{}, "tile", inputs, 2);
  EXPECT_EQ(std::memcmp(known[0].data(), given[0].data(), given[0].bytes()), 0);
}

TEST(LinearBackward, RefusesShapesThatDoNotFit) {
  const auto type = [](Shape shape) { return TensorType{DType::f32, shape}; };
  const std::vector<TensorType> data = {type({4, 5}), type({6, 3})}, weights = {type({4, 5}), type({3, 6})};
  EXPECT_THROW(LinearBackwardData{}.infer(data), Error);
  EXPECT_THROW(LinearBackwardWeights{}.infer(weights), Error);
}

}  // namespace
}  // namespace edgelab::kernels::testing
