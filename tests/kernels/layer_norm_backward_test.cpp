// LayerNorm's gradients: the reference against finite differences of the forward reference, the fast one against the reference.
#include <gtest/gtest.h>

#include "draw.hpp"
#include "each_target.hpp"
#include "finite_differences.hpp"
#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

TEST(LayerNormBackward, TheReferenceIsTheDerivativeOfTheForwardReference) {
  Draw draw(1);
  for (const Shape& shape : {Shape{5, 8}, Shape{2, 3, 7}, Shape{4, 3}}) {
    const std::int64_t width = shape.back();
    const std::vector<Tensor> inputs = {draw.tensor(shape, 2.0f, 0.5f), draw.tensor({width}, 0.3f, 1.0f), draw.tensor({width})};
    const Tensor dy = draw.tensor(shape);
    // A large epsilon too: where it counts, a wrong place for it shows.
    for (const double epsilon : {1e-6, 0.5}) {
      const std::vector<Tensor> got = run_op(LayerNormBackward{epsilon}, "reference", {inputs[0], inputs[1], dy}, 1);
      for (std::size_t i = 0; i < 3; ++i) expect_derivative(LayerNorm{epsilon}, inputs, i, dy, got[i], 2e-3, shape.text(), 0.004f);
    }
  }
}

TEST(LayerNormBackward, AddsWhatComesAlongTheOtherWay) {
  Draw draw(4);
  std::vector<Tensor> inputs = {draw.tensor({5, 8}), draw.tensor({8}), draw.tensor({5, 8})};
  const std::vector<Tensor> alone = run_op(LayerNormBackward{}, "reference", inputs, 1);
  inputs.push_back(draw.tensor({5, 8}));
  const std::vector<Tensor> both = run_op(LayerNormBackward{1e-6, true}, "reference", inputs, 1);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(both[0].as<float>()[i], alone[0].as<float>()[i] + inputs[3].as<float>()[i], 1e-6);
  for (std::size_t output = 1; output < 3; ++output) EXPECT_EQ(std::memcmp(both[output].data(), alone[output].data(), alone[output].bytes()), 0);
}

void compare(Draw& draw, const Shape& shape, float shift = 0.5f) {
  const std::int64_t width = shape.back();
  std::vector<Tensor> inputs = {draw.tensor(shape, 2.0f, shift), draw.tensor({width}, 0.3f, 1.0f), draw.tensor(shape)};
  LayerNormBackward op;
  op.has_addend = draw.coin();
  if (op.has_addend) inputs.push_back(draw.tensor(shape));
  // Of sums of a row, and over the rows; what the mean takes away was rounded at the input's size.
  const Tolerance row = {1e-5 * (1 + static_cast<double>(shift)), 1e-5}, sum = {1e-5 * (1 + static_cast<double>(shift)), 1e-5};
  expect_outputs_as_reference(op, inputs, "simd", {row, sum, sum}, shape.text());
}

TEST(LayerNormBackwardSimd, GivesTheReferencesNumbersForAnyRowsAndWidths) {
  Draw draw(2);
  for (const std::int64_t width : {4, 15, 16, 17, 64, 100, 192, 384, 401, 1280}) {
    for (const std::int64_t rows : {1, 3, 64, 65, 197}) compare(draw, {rows, width});
  }
  compare(draw, {2, 197, 192});
  compare(draw, {20, 192}, 50.0f);
}

TEST(LayerNormBackwardSimd, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    Draw draw(3);
    compare(draw, {70, 100});
    compare(draw, {3, 37});
  });
}

}  // namespace
}  // namespace edgelab::kernels::testing
