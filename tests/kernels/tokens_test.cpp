// Ops that move tokens, and their gradients.
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.hpp"
#include "draw.hpp"
#include "finite_differences.hpp"
#include "kernel_call.hpp"
#include "kernels/tokens/tokens.hpp"

namespace edgelab::kernels::testing {
namespace {

TEST(FromTokens, UndoesToTokens) {
  Draw draw(1);
  const Tensor x = draw.tensor({2, 5, 3, 4});
  const std::vector<Tensor> tokens = run_op(ToTokens{}, "reference", {x}, 1);
  EXPECT_EQ(tokens[0].shape(), (Shape{2, 12, 5}));
  const Tensor back = run_op(FromTokens{3, 4}, "reference", tokens, 1).front();
  ASSERT_EQ(back.shape(), x.shape());
  EXPECT_EQ(std::memcmp(back.data(), x.data(), x.bytes()), 0);
}

TEST(Tokens, AreTheSameBytesWhereChannelsLieLast) {
  Draw draw(4);
  const Tensor x = draw.tensor({3, 5, 7, 4}), tokens = run_op(ToTokens{}, "reference", {x}, 1).front();
  for (const int threads : {1, 2, 3}) {
    const CallResult there = call(ToTokens{}, "copy", {x}, 1, threads), back = call(FromTokens{7, 4}, "copy", {tokens}, 1, threads);
    ASSERT_TRUE(there.refusal.empty() && back.refusal.empty());
    EXPECT_EQ(std::memcmp(there.output.data(), tokens.data(), tokens.bytes()), 0);
    EXPECT_EQ(std::memcmp(back.output.data(), x.data(), x.bytes()), 0);
  }
}

TEST(SliceTokens, IsTheDerivativeOfConcatTokens) {
  Draw draw(2);
  const std::vector<Tensor> inputs = {draw.tensor({3, 2, 4}), draw.tensor({3, 1, 4}), draw.tensor({3, 5, 4})};
  const Tensor dy = draw.tensor({3, 8, 4});
  const SliceTokens slices[] = {{0, 2}, {2, 1}, {3, 5}};
  for (const int threads : {1, 2, 3, 5}) {
    for (std::size_t i = 0; i < 3; ++i) {
      const Tensor got = run_op(slices[i], "copy", {dy}, threads).front();
      expect_derivative(ConcatTokens{}, inputs, i, dy, got, 1e-4, slices[i].text());
    }
  }
}

TEST(PlaceToken, IsTheDerivativeOfSelectToken) {
  Draw draw(3);
  const Tensor x = draw.tensor({3, 4, 5}), dy = draw.tensor({3, 5});
  for (const std::int64_t index : {0, 1, 3}) {
    for (const int threads : {1, 2, 5}) {
      const Tensor got = run_op(PlaceToken{index, 4}, "copy", {dy}, threads).front();
      expect_derivative(SelectToken{index}, {x}, 0, dy, got, 1e-4, "token " + std::to_string(index));
    }
  }
}

TEST(Tokens, RefuseWhatIsNotThere) {
  const std::vector<TensorType> tokens = {{DType::f32, {2, 6, 4}}}, rows = {{DType::f32, {2, 4}}};
  EXPECT_THROW((FromTokens{2, 4}.infer(tokens)), Error);
  EXPECT_THROW((SliceTokens{4, 3}.infer(tokens)), Error);
  EXPECT_THROW((SliceTokens{-1, 3}.infer(tokens)), Error);
  EXPECT_THROW((SliceTokens{1, 0}.infer(tokens)), Error);
  EXPECT_THROW((PlaceToken{3, 3}.infer(rows)), Error);
}

}  // namespace
}  // namespace edgelab::kernels::testing
