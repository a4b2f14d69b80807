// Attention's gradient: the reference against finite differences of the forward reference, the fast one against the reference.
#include <gtest/gtest.h>

#include <cmath>

#include "each_target.hpp"
#include "finite_differences.hpp"
#include "kernels/attention_backward/attention_backward.hpp"
#include "run_op.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using testing::run_op;

struct Case {
  std::int64_t samples, tokens, heads, head_width;
  bool causal = false, has_bias = false;
  DType type = DType::f32, compute = DType::f32;
  AttentionBackward op() const { return {.heads = static_cast<int>(heads), .compute = compute, .causal = causal, .has_bias = has_bias}; }
  std::string text() const {
    return "samples " + std::to_string(samples) + ", tokens " + std::to_string(tokens) + ", width " + std::to_string(head_width) + ", " + op().text();
  }
};

Tensor to_bf16(const Tensor& x) {
  Tensor y(DType::bf16, x.shape());
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    reinterpret_cast<std::uint16_t*>(y.data())[i] = float_to_bf16(x.as<float>()[static_cast<std::size_t>(i)]);
  }
  return y;
}

// The forward pass's inputs, and with what it gave and a random gradient those of the backward pass.
struct Inputs {
  std::vector<Tensor> forward, backward;
  Inputs(const Case& c, std::uint64_t seed) {
    const std::int64_t width = c.heads * c.head_width;
    const Tensor qkv = random_tensor({c.samples, c.tokens, 3 * width}, seed);
    forward = {c.type == DType::bf16 ? to_bf16(qkv) : qkv};
    if (c.has_bias) {
      forward.push_back(random_tensor({1, c.heads, c.tokens, c.tokens}, seed + 1));
      for (float& value : forward.back().as<float>()) value = value > 2.0f ? -INFINITY : value;
    }
    const auto outputs = run_op(c.op().forward(), "reference", forward, 2);
    backward = {forward[0], outputs[0], outputs[1], random_tensor({c.samples, c.tokens, width}, seed + 2)};
    if (c.has_bias) backward.push_back(forward[1]);
  }
};

void compare(const Case& c, std::uint64_t seed, const std::vector<int>& threads = {1, 2, 3}) {
  const Inputs inputs(c, seed);
  const Tensor want = run_op(c.op(), "reference", inputs.backward, 2).front();
  double largest = 0;
  for (const float value : want.as<float>()) largest = std::max(largest, std::abs(static_cast<double>(value)));
  // Products of f32, or of operands rounded to bf16, of which P and dS are rounded here and not there.
  const double tolerance = (c.compute == DType::bf16 || c.type == DType::bf16 ? 1e-2 : 1e-5) * (0.2 + largest);
  for (const int count : threads) {
    const Tensor got = run_op(c.op(), "flash", inputs.backward, count).front();
    for (std::size_t i = 0; i < want.as<float>().size(); ++i) {
      ASSERT_NEAR(got.as<float>()[i], want.as<float>()[i], tolerance) << c.text() << ", threads " << count << ", element " << i;
    }
  }
}

void expect_finite_differences(const Case& c, std::uint64_t seed) {
  const Inputs inputs(c, seed);
  const Tensor got = run_op(c.op(), "reference", inputs.backward, 1).front();
  testing::expect_derivative(c.op().forward(), inputs.forward, 0, inputs.backward[3], got, 5e-4, c.text());
}

TEST(AttentionBackward, TheReferenceIsTheDerivativeOfTheForwardReference) {
  expect_finite_differences({1, 7, 2, 4}, 1);
  expect_finite_differences({2, 5, 1, 3, true}, 2);
  expect_finite_differences({1, 6, 2, 5, false, true}, 3);
  expect_finite_differences({1, 6, 1, 4, true, true}, 4);
}

TEST(AttentionBackward, GivesTheReferencesNumbersForAnyTokens) {
  std::uint64_t seed = 10;
  for (const std::int64_t tokens : {1, 2, 15, 16, 33, 63, 64, 65, 100, 128, 197}) compare({2, tokens, 3, 64}, seed++);
}

TEST(AttentionBackward, TakesHeadsOfAnyWidth) {
  std::uint64_t seed = 30;
  for (const std::int64_t width : {1, 3, 8, 31, 32, 48, 80, 128}) compare({1, 90, 2, width}, seed++, {1, 2});
}

TEST(AttentionBackward, KnowsMasksAndBiases) {
  std::uint64_t seed = 50;
  for (const std::int64_t tokens : {1, 3, 64, 65, 150}) {
    compare({1, tokens, 2, 32, true}, seed++);
    compare({2, tokens, 2, 32, false, true}, seed++, {2});
    compare({1, tokens, 2, 32, true, true}, seed++, {2});
  }
}

TEST(AttentionBackward, MultipliesInBf16) {
  std::uint64_t seed = 70;
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const std::int64_t tokens : {1, 17, 64, 100, 197}) compare({1, tokens, 2, 64, tokens == 100, tokens == 64, type, DType::bf16}, seed++, {1, 2});
    compare({1, 70, 2, 31, false, false, type, DType::bf16}, seed++, {2});
  }
}

TEST(AttentionBackward, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    compare({1, 100, 2, 48, true, true}, 90, {2});
    compare({1, 100, 1, 64, false, false, DType::f32, DType::bf16}, 91, {2});
  });
}

TEST(AttentionBackward, GivesNoGradientThroughAQueryThatSeesNothing) {
  Case c{1, 70, 1, 16, false, true};
  Inputs inputs(c, 95);
  for (std::size_t key = 0; key < 70; ++key) inputs.forward[1].as<float>()[3 * 70 + key] = -INFINITY;  // the bias of both passes
  const auto outputs = run_op(c.op().forward(), "flash", inputs.forward, 1);
  inputs.backward[1] = outputs[0];
  inputs.backward[2] = outputs[1];
  for (const char* implementation : {"flash", "reference"}) {
    const Tensor got = run_op(c.op(), implementation, inputs.backward, 1).front();
    for (std::size_t d = 0; d < 16; ++d) EXPECT_EQ(got.as<float>()[3 * 48 + d], 0.0f);
    for (const float value : got.as<float>()) ASSERT_FALSE(std::isnan(value));
  }
}

}  // namespace
}  // namespace edgelab::kernels
