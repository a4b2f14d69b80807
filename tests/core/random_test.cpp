#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"

namespace edgelab {
namespace {

// Golden values, computed by an independent program from the definition: a change would change every data set.
TEST(CounterRandom, GivesTheGoldenBits) {
  CounterRandom random(42);
  for (const std::uint64_t want : {0x57e1faba65107204u, 0xf4abd143feb24055u, 0x7c816738c12903b2u, 0x113e5dec6f8fd8a8u}) {
    EXPECT_EQ(random.next_bits(), want);
  }
}

TEST(CounterRandom, GivesTheGoldenNumbers) {
  CounterRandom uniform(42);
  for (const double want : {0.34329187870025635, 0.9557467103004456, 0.48634952306747437}) EXPECT_EQ(uniform.uniform(), want);
  CounterRandom normal(7);
  for (const double want : {-0.4761291157271789, -0.8680472231770234, 0.5996543260354035, 0.3424619399244612}) EXPECT_NEAR(normal.normal(), want, 1e-7);
  CounterRandom below(1);
  for (const std::uint64_t want : {3u, 9u, 0u, 7u, 2u, 7u, 6u, 2u}) EXPECT_EQ(below.below(10), want);
}

TEST(CounterRandom, DrawsAnyPartOfAStream) {
  CounterRandom whole(9);
  for (int i = 0; i < 1000; ++i) whole.next_bits();
  CounterRandom rest(9, 1000);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rest.next_bits(), whole.next_bits());
}

TEST(CounterRandom, IsEvenlySpreadAndNormal) {
  CounterRandom random(3);
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0, uniform = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
    const float flat = random.uniform(-2, 6);
    ASSERT_GE(flat, -2.0f);
    ASSERT_LE(flat, 6.0f);
    uniform += flat;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.03);
  EXPECT_NEAR(uniform / kDraws, 2.0, 0.05);
}

TEST(StreamKey, IsTheGoldenOneForANameAndASeed) {
  EXPECT_EQ(stream_key(0, ""), 0xcbf29ce484222325u);
  EXPECT_EQ(stream_key(0, "a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(stream_key(0, "foobar"), 0x85944171f73967e8u);
  EXPECT_EQ(stream_key(5, "shapes10"), 0x9aa2c46a505e320bu);
}

TEST(RandomName, IsSixteenHexadecimalDigitsAndAnotherEachTime) {
  const std::string name = random_name();
  EXPECT_EQ(name.size(), 16u);
  EXPECT_EQ(name.find_first_not_of("0123456789abcdef"), std::string::npos) << name;
  EXPECT_NE(name, random_name());
}

}  // namespace
}  // namespace edgelab
