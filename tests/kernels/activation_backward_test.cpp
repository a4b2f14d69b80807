// Activations and their gradients: the reference against finite differences of the forward reference, the fast ones against
// the references.
#include <gtest/gtest.h>

#include <cmath>

#include "draw.hpp"
#include "each_target.hpp"
#include "finite_differences.hpp"
#include "kernels/activation/activation_map.hpp"
#include "kernels/activation_backward/activation_backward.hpp"
#include "kernels/vector_math/vector_math.hpp"
#include "op_on_team.hpp"

namespace edgelab::kernels::testing {
namespace {

constexpr ActivationKind kKinds[] = {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::gelu};

TEST(ActivationBackward, TheReferenceIsTheDerivativeOfTheForwardReference) {
  Draw draw(1);
  for (const ActivationKind kind : kKinds) {
    Tensor x = draw.tensor({3, 40}, 3.0f, 1.0f);
    for (float& value : x.as<float>()) {  // off the corners, where there is no derivative
      for (const float corner : {0.0f, 6.0f}) value += std::abs(value - corner) < 0.05f ? 0.1f : 0.0f;
    }
    const Tensor dy = draw.tensor({3, 40});
    expect_derivative(Activation{kind}, {x}, 0, dy, run_op(ActivationBackward{kind}, "reference", {x, dy}, 2)[0], 1e-3, std::string(name_of(kind)));
  }
}

TEST(ActivationBackward, IsZeroOnTheCornersOfReluAndRelu6) {
  Tensor x(DType::f32, {5}), dy(DType::f32, {5});
  const float values[] = {0.0f, -0.0f, 6.0f, 1.0f, 7.0f};
  std::copy(std::begin(values), std::end(values), x.as<float>().begin());
  std::fill(dy.as<float>().begin(), dy.as<float>().end(), 2.0f);
  for (const ActivationKind kind : {ActivationKind::relu, ActivationKind::relu6}) {
    for (const Implementation& implementation : ActivationBackward::implementations()) {
      const Tensor dx = run_op(ActivationBackward{kind}, implementation.name, {x, dy}, 1).front();
      const bool six = kind == ActivationKind::relu6;
      const float want[] = {0.0f, 0.0f, six ? 0.0f : 2.0f, 2.0f, six ? 0.0f : 2.0f};
      for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(dx.as<float>()[i], want[i]) << implementation.name << ", element " << i;
    }
  }
}

TEST(ActivationSimd, GivesTheReferencesNumbersForAnyCount) {
  test::on_each_target([] {
    Draw draw(2);
    for (const ActivationKind kind : kKinds) {
      for (const std::int64_t count : {1, 15, 16, 17, 100, 1001}) {
        const std::vector<Tensor> inputs = {draw.tensor({count}, 3.0f, 1.0f), draw.tensor({count})};
        expect_outputs_as_reference(Activation{kind}, {inputs[0]}, "simd", {{1e-6, 1e-6}}, std::to_string(count));
        expect_outputs_as_reference(Activation{kind, DType::bf16}, {inputs[0]}, "simd", {{1e-6, 0x1p-7}}, std::to_string(count));
        expect_outputs_as_reference(ActivationBackward{kind}, inputs, "simd", {{3e-6, 3e-6}}, std::to_string(count));
      }
    }
  });
}

TEST(ActivationBackwardSimd, KeepsItsBoundOverAllOfGelu) {
  test::on_each_target([] {
    std::vector<float> x, ones, slopes;
    for (double at = -20; at <= 20; at += 1.0 / 1024) x.push_back(static_cast<float>(at));
    for (const float at : {-1e30f, -HUGE_VALF, 1e30f, 1e-30f, -0.0f}) x.push_back(at);
    ones.assign(x.size(), 1.0f);
    slopes.resize(x.size());
    activate_backward(ActivationKind::gelu, x.data(), ones.data(), slopes.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double want = std::isinf(x[i]) ? 0.0 : activation_slope(ActivationKind::gelu, static_cast<double>(x[i]));
      ASSERT_NEAR(slopes[i], want, kGeluSlopeError) << "at " << x[i];
    }
  });
}

}  // namespace
}  // namespace edgelab::kernels::testing
