// Flash attention against the plain reference: any number of tokens, heads and threads, one pass or tiled, with and without
// mask, bias and log-sum-exp, f32 and bf16.
#include <gtest/gtest.h>

#include <cmath>

#include "each_target.hpp"
#include "kernels/attention/flash_tiles.hpp"
#include "run_op.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::kernels {
namespace {

using test::random_tensor;
using testing::run_op;

// Sums of T probabilities times values of order one, and exponentials of scores of a few units.
constexpr double kTolerance = 1e-5;
// The operands are the same bf16 numbers; P is rounded to bf16 too (2^-9), where errors average out, and so may be the output.
constexpr double kBf16Tolerance = 1e-2;

Tensor to_bf16(const Tensor& x) {
  Tensor y(DType::bf16, x.shape());
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    reinterpret_cast<std::uint16_t*>(y.data())[i] = float_to_bf16(x.as<float>()[static_cast<std::size_t>(i)]);
  }
  return y;
}

struct Case {
  std::int64_t samples, tokens, heads, head_width;
  bool causal = false, has_bias = false;
  DType type = DType::f32, compute = DType::f32;
  std::string text() const {
    return "samples " + std::to_string(samples) + ", tokens " + std::to_string(tokens) + ", heads " + std::to_string(heads) + " of " +
           std::to_string(head_width) + (causal ? ", causal" : "") + (has_bias ? ", bias" : "") + ", " + std::string(name_of(type)) + ", products in " +
           std::string(name_of(compute));
  }
};

void expect_near(const Tensor& got, const Tensor& want, double tolerance, const std::string& what) {
  const Tensor a = got.to_f32(), b = want.to_f32();
  for (std::size_t i = 0; i < a.as<float>().size(); ++i) {
    const float x = a.as<float>()[i], y = b.as<float>()[i];
    if (x == y) continue;
    ASSERT_NEAR(x, y, tolerance * (1.0 + std::abs(static_cast<double>(y)))) << what << ", element " << i;
  }
}

void compare(const Case& c, std::uint64_t seed, const std::vector<int>& threads = {1, 2, 3}) {
  Attention settings{.heads = static_cast<int>(c.heads), .compute = c.compute, .causal = c.causal, .has_bias = c.has_bias, .with_log_sum_exp = true};
  Tensor qkv = random_tensor({c.samples, c.tokens, 3 * c.heads * c.head_width}, seed, 1.5f);
  if (c.type == DType::bf16) qkv = to_bf16(qkv);
  std::vector<Tensor> inputs = {qkv};
  if (c.has_bias) {
    const std::int64_t b = seed % 2 == 0 ? c.samples : 1, h = seed % 3 == 0 ? c.heads : 1;
    inputs.push_back(random_tensor({b, h, c.tokens, c.tokens}, seed + 1, 2.0f));
    for (float& value : inputs.back().as<float>()) value = value > 4.0f ? -INFINITY : value;
  }
  const auto want = run_op(settings, "reference", inputs, 2);
  const double tolerance = settings.compute == DType::bf16 || c.type == DType::bf16 ? kBf16Tolerance : kTolerance;
  for (const int count : threads) {
    const std::string what = c.text() + ", threads " + std::to_string(count);
    const auto got = run_op(settings, "flash", inputs, count);
    ASSERT_EQ(got.size(), 2u) << what;
    expect_near(got[0], want[0], tolerance, what);
    expect_near(got[1], want[1], settings.compute == DType::bf16 || c.type == DType::bf16 ? 1e-3 : kTolerance, what + ", log-sum-exp");
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(FlashAttention, GivesTheReferencesNumbersInOnePass) {
  std::uint64_t seed = 1;
  for (const std::int64_t tokens : {1, 2, 5, 15, 16, 17, 35, 36, 37, 64, 65, 73, 197, 257}) {
    for (const std::int64_t head_width : {32, 64}) compare({1 + static_cast<std::int64_t>(seed % 2), tokens, 3, head_width}, seed), ++seed;
  }
}

TEST(FlashAttention, GivesTheReferencesNumbersInTilesWithRemainders) {
  std::uint64_t seed = 100;
  for (const std::int64_t tokens : {1088, 1089, 1200, 1537}) compare({1, tokens, 1, 32}, seed++, {2, 3});
}

TEST(FlashAttention, TakesHeadsOfAnyWidth) {
  std::uint64_t seed = 200;
  for (const std::int64_t head_width : {1, 3, 8, 20, 31, 48, 63, 65, 80, 96, 100, 128, 160}) {
    compare({1, 70, 2, head_width}, seed++, {1, 2});
    if (head_width == 48 || head_width == 128) compare({1, 1100, 1, head_width}, seed++, {2});
  }
}

TEST(FlashAttention, MasksWhatComesLater) {
  std::uint64_t seed = 300;
  for (const std::int64_t tokens : {1, 2, 17, 64, 197, 500, 1100}) compare({1, tokens, 2, 32, true}, seed++);
}

TEST(FlashAttention, AddsABiasThatIsSharedOrNot) {
  std::uint64_t seed = 400;
  for (const std::int64_t tokens : {1, 7, 49, 197, 1090}) {
    for (int i = 0; i < (tokens > 1000 ? 1 : 3); ++i) compare({2, tokens, tokens > 1000 ? 1 : 3, 16, i == 2, true}, seed++, {1, 2});
  }
}

TEST(FlashAttention, MultipliesInBf16) {
  std::uint64_t seed = 500;
  for (const DType type : {DType::f32, DType::bf16}) {
    for (const std::int64_t tokens : {1, 2, 17, 63, 197, 1091}) compare({1, tokens, 1, 32, tokens == 63, tokens == 197, type, DType::bf16}, seed++);
    for (const std::int64_t head_width : {1, 7, 32, 33, 80, 128}) compare({1, 65, 2, head_width, false, false, type, DType::bf16}, seed++, {2});
  }
}

TEST(FlashAttention, AgreesOnEveryInstructionSet) {
  test::on_each_target([] {
    compare({1, 100, 2, 64}, 600, {2});
    compare({1, 1100, 1, 16, true, true}, 601, {2});
    compare({1, 100, 2, 64, false, false, DType::f32, DType::bf16}, 602, {2});
    compare({1, 1100, 1, 16, false, false, DType::bf16, DType::bf16}, 603, {2});
  });
}

TEST(FlashAttention, GivesZerosToAQueryThatSeesNothing) {
  for (const std::int64_t tokens : {20, 1100}) {
    Attention settings{.heads = 1, .has_bias = true, .with_log_sum_exp = true};
    Tensor bias = random_tensor({1, 1, tokens, tokens}, 1);
    for (std::int64_t key = 0; key < tokens; ++key) bias.as<float>()[static_cast<std::size_t>(3 * tokens + key)] = -INFINITY;
    const std::vector<Tensor> inputs = {random_tensor({1, tokens, 96}, 2), bias};
    for (const char* implementation : {"flash", "reference"}) {
      const auto y = run_op(settings, implementation, inputs, 2);
      for (std::size_t d = 0; d < 32; ++d) EXPECT_EQ(y[0].as<float>()[3 * 32 + d], 0.0f);
      EXPECT_EQ(y[1].as<float>()[3], -INFINITY);
      EXPECT_NE(y[0].as<float>()[0], 0.0f);
    }
  }
}

TEST(FlashAttention, SpreadsANaNToTheQueriesThatSeeIt) {
  for (const std::int64_t tokens : {20, 1100}) {
    Tensor qkv = random_tensor({1, tokens, 96}, 3);
    qkv.as<float>()[static_cast<std::size_t>((tokens - 1) * 96 + 32)] = NAN;  // of the last key
    const auto y = run_op(Attention{.heads = 1, .causal = true}, "flash", {qkv}, 2);
    EXPECT_FALSE(std::isnan(y[0].as<float>()[static_cast<std::size_t>((tokens - 2) * 32)]));
    EXPECT_TRUE(std::isnan(y[0].as<float>()[static_cast<std::size_t>((tokens - 1) * 32)]));
  }
}

TEST(FlashAttention, KeepsItsFootingWithLargeScores) {
  Tensor qkv = random_tensor({1, 1100, 96}, 4, 60.0f);  // scores of thousands
  const auto got = run_op(Attention{.heads = 1}, "flash", {qkv}, 2), want = run_op(Attention{.heads = 1}, "reference", {qkv}, 2);
  // A score of thousands is off by 1e-4 of itself in f32's sums: only the size of the result is sure.
  for (std::size_t i = 0; i < got[0].as<float>().size(); ++i) ASSERT_NEAR(got[0].as<float>()[i], want[0].as<float>()[i], 1.0) << i;
}

TEST(FlashAttention, RefusesWhatItIsNotAndSaysWhy) {
  std::string refusal;
  EXPECT_TRUE(run_op(Attention{.heads = 1, .algorithm = Attention::Algorithm::naive}, "flash", {random_tensor({1, 4, 96}, 5)}, 1, &refusal).empty());
  EXPECT_EQ(refusal, "naive attention was asked for");
  EXPECT_TRUE(run_op(Attention{.heads = 1, .algorithm = Attention::Algorithm::flash}, "onednn", {random_tensor({1, 4, 96}, 5)}, 1, &refusal).empty());
  EXPECT_EQ(refusal, "it is naive, and flash was asked for");
  EXPECT_TRUE(run_op(Attention{.heads = 1, .scale = -1.0}, "flash", {random_tensor({1, 4, 96}, 5)}, 1, &refusal).empty());
  EXPECT_EQ(refusal, "its running maximum needs a scale above zero");
}

class NaiveAttention : public ::testing::TestWithParam<DType> {};

TEST_P(NaiveAttention, GivesTheReferencesNumbersForAnyHeadsAndTokens) {
  const DType type = GetParam();
  std::uint64_t seed = 700;
  for (const std::int64_t tokens : {1, 5, 17, 64, 197}) {
    for (const std::int64_t heads : {1, 3}) {
      const Attention settings{.heads = static_cast<int>(heads)};
      const Tensor qkv = random_tensor({2, tokens, 3 * heads * 32}, seed++);
      const std::vector<Tensor> inputs = {type == DType::bf16 ? to_bf16(qkv) : qkv};
      std::string refusal;
      const auto got = run_op(settings, "onednn", inputs, 2, &refusal), want = run_op(settings, "reference", inputs, 2);
      if (type == DType::bf16 && got.empty() && !has_feature(this_machine().features, "avx512bw")) {
        GTEST_SKIP() << "oneDNN has no bf16 products on this machine: " << refusal;
      }
      ASSERT_EQ(got.size(), 1u) << refusal;
      // In bf16 the scores too stand in memory as bf16.
      expect_near(got[0], want[0], type == DType::bf16 ? 4e-2 : kTolerance, std::to_string(tokens) + " tokens, " + std::string(name_of(type)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, NaiveAttention, ::testing::Values(DType::f32, DType::bf16),
                         [](const ::testing::TestParamInfo<DType>& type) { return std::string(name_of(type.param)); });

TEST(FlashAttention, NeedsScratchThatDoesNotGrowWithTheSquareOfTheTokens) {
  const auto member_bytes = [](std::int64_t tokens) {
    const Op op = Attention{.heads = 6};
    const TensorType qkv{DType::f32, {1, tokens, 3 * 384}};
    const auto output = op.infer({&qkv, 1});
    const Tensor none[1];
    const Layout layout[] = {Layout::plain(qkv)};
    PackCache packs;
    return testing::implementation_named(op, "flash").offer({op, {&qkv, 1}, output, none, layout, 1, this_machine(), &packs}).scratch_bytes;
  };
  EXPECT_LE(member_bytes(4096), 2 * member_bytes(2048));
  EXPECT_LE(member_bytes(4096), std::size_t{3} << 20);  // keys and values of one head are 2 MiB
}

}  // namespace
}  // namespace edgelab::kernels
