// The gradient of a broadcast operand: the reference against finite differences of Binary's, the fast one against the
// reference.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "draw.hpp"
#include "each_target.hpp"
#include "finite_differences.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/sum_to/sum_to.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

TEST(SumTo, TheReferenceIsTheDerivativeOfABroadcastOperand) {
  Draw draw(1);
  const Shape whole{3, 4, 5};
  for (const Shape& shape : {Shape{1, 4, 5}, Shape{4, 5}, Shape{5}, Shape{1}, Shape{3, 1, 5}, Shape{3, 4, 1}, Shape{1, 4, 1}, Shape{4, 1}, whole, Shape{}}) {
    const std::vector<Tensor> inputs = {draw.tensor(whole), draw.tensor(shape)};
    const Tensor dy = draw.tensor(whole);
    expect_derivative(Binary{Binary::Kind::add}, inputs, 1, dy, run_op(SumTo{shape}, "reference", {dy}, 1).front(), 1e-3, shape.text());
    const Tensor product = evaluate_reference(Binary{Binary::Kind::multiply}, std::vector<Tensor>{dy, inputs[0]}).front();
    expect_derivative(Binary{Binary::Kind::multiply}, inputs, 1, dy, run_op(SumTo{shape}, "reference", {product}, 1).front(), 1e-3, shape.text());
  }
}

void compare(Draw& draw, const Shape& x, const Shape& shape) {
  // Around one half, so that a sum is as large as what it is made of.
  expect_outputs_as_reference(SumTo{shape}, {draw.tensor(x, 1.0f, 0.5f)}, "team", {{2e-6, 4e-6}}, x.text());
}

TEST(SumToTeam, GivesTheReferencesNumbers) {
  Draw draw(2);
  for (const Shape& x : {Shape{3, 7, 33}, Shape{1, 1, 1}, Shape{5, 197, 192}, Shape{600, 1, 70}, Shape{2, 1, 3, 17}}) {
    const std::int64_t last = x.back(), middle = x[x.rank() - 2];
    for (const Shape& shape : {Shape{1, middle, last}, Shape{middle, last}, Shape{last}, Shape{1, last}, Shape{1}, Shape{}, x}) compare(draw, x, shape);
  }
  test::on_each_target([&] {
    compare(draw, {300, 100}, {100});
    compare(draw, {300, 101}, {1});
  });
}

TEST(SumToTeam, RefusesSumsBetweenAxesThatAreKept) {
  Draw draw(3);
  for (const Shape& shape : {Shape{3, 1, 5}, Shape{3, 4, 1}, Shape{1, 4, 1}}) {
    std::string refusal;
    EXPECT_TRUE(run_op(SumTo{shape}, "team", {draw.tensor({3, 4, 5})}, 2, &refusal).empty()) << shape.text();
    EXPECT_FALSE(refusal.empty());
  }
}

TEST(SumTo, RefusesAShapeThatCannotBeBroadcast) {
  const std::vector<TensorType> x = {{DType::f32, {3, 4}}};
  for (const Shape& shape : {Shape{3}, Shape{2, 4}, Shape{1, 3, 4}}) EXPECT_THROW(SumTo{shape}.infer(x), Error) << shape.text();
}

}  // namespace
}  // namespace edgelab::kernels::testing
