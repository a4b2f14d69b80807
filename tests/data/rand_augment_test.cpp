#include "data/rand_augment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "data/computed_image.hpp"
#include "data/golden/augment_golden.hpp"

namespace edgelab::data {
namespace {

Pixels pixels_of(const Image& image) { return {image.height, image.width, {image.pixels.begin(), image.pixels.end()}}; }

const ImageOp& op_named(std::string_view name) {
  const auto ops = image_ops();
  const auto found = std::ranges::find(ops, name, &ImageOp::name);
  EXPECT_NE(found, ops.end()) << name;
  return *found;
}

// The formula of golden/make_augment_golden.py.
std::int64_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += bytes[i] * static_cast<std::int64_t>(i % 251 + 1);
  return sum;
}

TEST(RandAugment, DoesToEveryByteWhatTorchvisionsOperationsDo) {
  std::set<std::string_view> met;
  for (const golden::ImageOpCase& golden : golden::image_op_cases()) {
    SCOPED_TRACE(testing::Message() << golden.op << ' ' << golden.magnitude << " of " << golden.height << " x "
                                    << golden.width << (golden.dim ? ", dim" : ""));
    met.insert(golden.op);
    Pixels pixels = pixels_of(test::computed_image(golden.height, golden.width));
    if (golden.dim) {
      for (std::uint8_t& byte : pixels.bytes) byte = static_cast<std::uint8_t>(byte / 2 + 40);
    }
    std::vector<std::uint8_t> scratch(7, 99);
    op_named(golden.op).apply(pixels, golden.magnitude, scratch);
    ASSERT_EQ(pixels.bytes.size(), pixels.plane() * 3);
    for (std::size_t i = 0; i < golden.values.size(); ++i)
      EXPECT_EQ(pixels.bytes.at(i * static_cast<std::size_t>(golden.stride)), golden.values[i]) << "value " << i;
    EXPECT_EQ(checksum(pixels.bytes), golden.checksum);
  }
  EXPECT_EQ(met.size(), image_ops().size());
}

TEST(RandAugment, HasTorchvisionsStrengths) {
  for (const golden::ImageOpCase& golden : golden::image_op_cases()) {
    const ImageOp& op = op_named(golden.op);
    if (op.magnitude == nullptr) {
      EXPECT_EQ(golden.magnitude, 0.0);
      continue;
    }
    EXPECT_EQ(op.magnitude(golden.level, golden.height, golden.width), std::abs(golden.magnitude))
        << golden.op << " at " << golden.level;
    EXPECT_TRUE(op.is_signed || golden.magnitude >= 0.0) << golden.op;
  }
}

// One op in 14 is equally likely at each of two draws; signs by halves.
TEST(RandAugment, DrawsEachPairOfOperationsAboutEquallyOften) {
  const Pixels original = pixels_of(test::computed_image(8, 8));
  const auto after = [&](const ImageOp& op, double sign, Pixels pixels) {
    std::vector<std::uint8_t> scratch;
    const double magnitude = op.magnitude == nullptr ? 0.0 : op.magnitude(kRandAugmentLevel, 8, 8);
    op.apply(pixels, op.is_signed ? sign * magnitude : magnitude, scratch);
    return pixels;
  };
  const auto key = [](const Pixels& pixels) { return std::string(pixels.bytes.begin(), pixels.bytes.end()); };
  // What may come out, and how likely it is.
  std::map<std::string, double> likely;
  for (const ImageOp& first : image_ops()) {
    for (const ImageOp& second : image_ops()) {
      for (const double first_sign : {1.0, -1.0}) {
        for (const double second_sign : {1.0, -1.0})
          likely[key(after(second, second_sign, after(first, first_sign, original)))] += 1.0 / (14 * 14 * 4);
      }
    }
  }
  constexpr int kDraws = 40000;
  std::map<std::string, int> drawn;
  CounterRandom random(3);
  std::vector<std::uint8_t> scratch;
  for (int i = 0; i < kDraws; ++i) {
    Pixels pixels = original;
    rand_augment(pixels, random, scratch);
    ++drawn[key(pixels)];
  }
  for (const auto& [bytes, times] : drawn) EXPECT_TRUE(likely.contains(bytes));
  for (const auto& [bytes, share] : likely) {
    const double expected = share * kDraws;
    EXPECT_NEAR(drawn[bytes], expected, 6.0 * std::sqrt(expected) + 1.0);
  }
}

}  // namespace
}  // namespace edgelab::data
