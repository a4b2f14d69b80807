// Numbers as integers would have them, and the gradients that training takes through them.
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "each_target.hpp"
#include "kernels/fake_quantize/fake_quantize.hpp"
#include "run_op.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels::testing {
namespace {

Tensor tensor_of(Shape shape, std::initializer_list<float> values) {
  Tensor tensor(DType::f32, shape);
  std::copy(values.begin(), values.end(), tensor.as<float>().begin());
  return tensor;
}

TEST(FakeQuantize, RoundsToTheGridAndCutsAtItsEnds) {
  // Steps of a quarter from −1/4 · 2 up: zero point 2, of 0 to 7.
  const FakeQuantize op{2, 0, 7};
  const Tensor x = tensor_of({6}, {0.0f, 0.3f, 0.375f, -0.2f, 9.0f, -9.0f}), p = tensor_of({1}, {-2.0f});
  const float want[] = {0.0f, 0.25f, 0.5f, -0.25f, 1.25f, -0.5f};  // 0.375 is a tie: to the even number
  for (const Implementation& implementation : FakeQuantize::implementations()) {
    const Tensor y = run_op(op, implementation.name, {x, p}, 1).front();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(y.as<float>()[i], want[i]) << implementation.name << ", element " << i;
  }
}

TEST(FakeQuantize, ItsGradientGoesStraightThroughWithinTheGrid) {
  const FakeQuantizeBackward op{{2, 0, 7}};
  const Tensor x = tensor_of({6}, {0.0f, 0.3f, 0.35f, -0.2f, 9.0f, -9.0f}), p = tensor_of({1}, {-2.0f}), dy = tensor_of({6}, {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f});
  // round(u) − u within: 0, 1.2 → −0.2, 1.4 → −0.4, −0.8 → −0.2; beyond: q − zero_point = 5 and −2.
  const double sum = 2 * -0.2 + 3 * -0.4 + 4 * -0.2 + 5 * 5.0 + 6 * -2.0;
  const double want = sum * 0.25 * std::log(2.0) / std::sqrt(6.0 * 7.0);
  for (const Implementation& implementation : FakeQuantizeBackward::implementations()) {
    const std::vector<Tensor> gradients = run_op(op, implementation.name, {x, p, dy}, 2);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(gradients[0].as<float>()[i], i < 4 ? dy.as<float>()[i] : 0.0f) << implementation.name;
    EXPECT_NEAR(gradients[1].as<float>()[0], want, 1e-5) << implementation.name;
  }
}

TEST(FakeQuantize, TheFastOnesGiveTheReferencesNumbersForAnyShape) {
  test::on_each_target([] {
    for (const Shape& shape : {Shape{5}, Shape{3, 17}, Shape{4, 3, 3, 3}, Shape{2, 5000}, Shape{7, 1, 3, 3}}) {
      for (const bool per_channel : {false, true}) {
        const std::int64_t scales = per_channel ? shape[0] : 1;
        const Tensor x = test::random_tensor(shape, 3, 2.0f), dy = test::random_tensor(shape, 4);
        Tensor p(DType::f32, {scales});
        for (std::int64_t i = 0; i < scales; ++i) p.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(-5 + i % 3);  // powers of two: no ties but true ones
        const FakeQuantize op{0, -7, 7};
        const Tensor want = run_op(op, "reference", {x, p}, 1).front(), got = run_op(op, "simd", {x, p}, 2).front();
        for (std::size_t i = 0; i < want.as<float>().size(); ++i) ASSERT_EQ(got.as<float>()[i], want.as<float>()[i]) << shape.text() << ", element " << i;
        const auto slow = run_op(FakeQuantizeBackward{op}, "reference", {x, p, dy}, 1), fast = run_op(FakeQuantizeBackward{op}, "simd", {x, p, dy}, 2);
        for (std::size_t i = 0; i < slow[0].as<float>().size(); ++i) ASSERT_EQ(fast[0].as<float>()[i], slow[0].as<float>()[i]);
        for (std::size_t i = 0; i < slow[1].as<float>().size(); ++i) ASSERT_NEAR(fast[1].as<float>()[i], slow[1].as<float>()[i], 1e-4 * (1 + std::abs(slow[1].as<float>()[i])));
        EXPECT_EQ(run_op(FakeQuantizeBackward{op}, "simd", {x, p, dy}, 1)[1].as<float>()[0], fast[1].as<float>()[0]) << "the sum depends on the number of threads";
      }
    }
  });
}

TEST(FakeQuantize, ScalesThatFitNothingAreRefused) {
  const TensorType x{DType::f32, {4, 3}};
  EXPECT_THROW((FakeQuantize{}.infer(std::vector<TensorType>{x, {DType::f32, {3}}})), Error);
  EXPECT_NO_THROW((FakeQuantize{}.infer(std::vector<TensorType>{x, {DType::f32, {4}}})));
}

}  // namespace
}  // namespace edgelab::kernels::testing
