#include "data/augment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/random.hpp"
#include "data/computed_image.hpp"
#include "data/expect_error.hpp"
#include "data/mixing.hpp"

namespace edgelab::data {
namespace {

using test::computed_image;
using test::message_of;
using testing::HasSubstr;

std::uint8_t pixel(const Image& image, int c, int y, int x) {
  if (y < 0 || y >= image.height || x < 0 || x >= image.width) return 0;
  return image.pixels[static_cast<std::size_t>((c * image.height + y) * image.width + x)];
}

// Whether `output` is `input` moved by these, black outside, then mirrored.
bool is_moved(const Image& input, const Image& output, int down, int right, bool mirrored) {
  for (int c = 0; c < kChannels; ++c) {
    for (int y = 0; y < input.height; ++y) {
      for (int x = 0; x < input.width; ++x) {
        const int from = mirrored ? input.width - 1 - x : x;
        if (pixel(output, c, y, x) != pixel(input, c, y + down, from + right)) return false;
      }
    }
  }
  return true;
}

TEST(Augment, KnowsItsNamesAndNoOthers) {
  const Augmentations all = augmentations_named(augmentation_names());
  EXPECT_EQ(all, (Augmentations{true, true, true, true, true}));
  EXPECT_EQ(augmentations_named({}), Augmentations{});
  EXPECT_EQ(augmentations_named({"flip"}), Augmentations{.flip = true});
  EXPECT_THAT(message_of(ErrorKind::usage, [] { augmentations_named({"flop"}); }), HasSubstr("'flop'"));
}

TEST(Augment, LeavesTheImageAloneWithoutAnyOfThem) {
  const Image image = computed_image(9, 11);
  ImageAugmenter augment(Augmentations{.mixup = true});
  EXPECT_EQ(augment(image, CounterRandom(1)).pixels.data(), image.pixels.data());
}

TEST(Augment, FlipsAboutHalfOfTheImagesAndChangesNothingElse) {
  const Image image = computed_image(9, 11);
  ImageAugmenter augment(Augmentations{.flip = true});
  int flipped = 0;
  for (std::uint64_t key = 0; key < 1000; ++key) {
    const Image output = augment(image, CounterRandom(key));
    ASSERT_TRUE(is_moved(image, output, 0, 0, false) || is_moved(image, output, 0, 0, true));
    flipped += is_moved(image, output, 0, 0, true) ? 1 : 0;
  }
  EXPECT_NEAR(flipped, 500, 80);
}

TEST(Augment, CropsAtEveryOffsetUpToAnEighthOfTheSideEquallyOften) {
  const Image image = computed_image(16, 24);  // pads of 2 and 3
  ImageAugmenter augment(Augmentations{.crop = true});
  std::vector<int> times(5 * 7, 0);
  constexpr int kDraws = 7000;
  for (std::uint64_t key = 0; key < kDraws; ++key) {
    const Image output = augment(image, CounterRandom(key));
    int found = 0;
    for (int down = -2; down <= 2; ++down) {
      for (int right = -3; right <= 3; ++right) {
        if (!is_moved(image, output, down, right, false)) continue;
        ++found;
        ++times[static_cast<std::size_t>((down + 2) * 7 + right + 3)];
      }
    }
    ASSERT_EQ(found, 1);
  }
  for (const int each : times) EXPECT_NEAR(each, kDraws / 35, 6 * std::sqrt(kDraws / 35));
}

TEST(Augment, CropsThenFlips) {
  const Image image = computed_image(16, 16);
  ImageAugmenter augment(Augmentations{.crop = true, .flip = true});
  bool both = false;
  for (std::uint64_t key = 0; key < 100; ++key) {
    const Image output = augment(image, CounterRandom(key));
    bool found = false;
    for (int down = -2; down <= 2; ++down) {
      for (int right = -2; right <= 2; ++right) {
        found = found || is_moved(image, output, down, right, false) || is_moved(image, output, down, right, true);
        both = both || (right != 0 && is_moved(image, output, down, right, true));
      }
    }
    ASSERT_TRUE(found);
  }
  EXPECT_TRUE(both);
}

TEST(Augment, DoesTheSameToAnImageWhateverCameBefore) {
  const Augmentations all = augmentations_named(augmentation_names());
  ImageAugmenter used(all);
  for (int side = 1; side < 40; ++side) {
    used(computed_image(40 - side, side + 1), CounterRandom(static_cast<std::uint64_t>(side)));
    const Image image = computed_image(side, 41 - side);
    ImageAugmenter fresh(all);
    const CounterRandom random(static_cast<std::uint64_t>(side) + 100);
    ASSERT_TRUE(std::ranges::equal(used(image, random).pixels, fresh(image, random).pixels)) << side;
  }
}

// Mean 1/2, variance 1 / (4 (2 alpha + 1)).
TEST(Mixing, DrawsSharesOfABetaDistribution) {
  for (const double alpha : {kMixupAlpha, kCutmixAlpha}) {
    CounterRandom random(11);
    double sum = 0.0, squares = 0.0;
    constexpr int kDraws = 100000;
    for (int i = 0; i < kDraws; ++i) {
      const double share = draw_beta(alpha, random);
      ASSERT_GE(share, 0.0);
      ASSERT_LE(share, 1.0);
      ASSERT_EQ(share * 0x1p20, std::nearbyint(share * 0x1p20));
      sum += share - 0.5;
      squares += (share - 0.5) * (share - 0.5);
    }
    EXPECT_NEAR(sum / kDraws, 0.0, 0.005);
    EXPECT_NEAR(squares / kDraws, 1.0 / (4.0 * (2.0 * alpha + 1.0)), 0.002);
  }
}

TEST(Mixing, IsDrawnAsWasAskedFor) {
  const auto kinds = [](const Augmentations& wanted) {
    std::vector<int> times(3, 0);
    for (std::uint64_t key = 0; key < 400; ++key)
      ++times[static_cast<std::size_t>(draw_mix(wanted, CounterRandom(key), 32).kind)];
    return times;
  };
  EXPECT_EQ(kinds({}), (std::vector<int>{400, 0, 0}));
  EXPECT_EQ(kinds({.mixup = true}), (std::vector<int>{0, 400, 0}));
  EXPECT_EQ(kinds({.cutmix = true}), (std::vector<int>{0, 0, 400}));
  const auto both = kinds({.mixup = true, .cutmix = true});
  EXPECT_EQ(both[0], 0);
  EXPECT_NEAR(both[1], 200, 60);
}

TEST(Mixing, OfMixupIsAWeightedSum) {
  const Mix mix{.kind = Mix::Kind::mixup, .share = 0.75f};
  std::vector<float> image(12, 4.0f);
  const std::vector<float> partner(12, -8.0f);
  mix_images(mix, 2, image, partner);
  EXPECT_EQ(image, std::vector<float>(12, 1.0f));
}

TEST(Mixing, OfCutmixTakesABoxWhoseAreaIsThePartnersShare) {
  constexpr int kSize = 16;
  std::set<std::pair<int, int>> corners;
  for (std::uint64_t key = 0; key < 500; ++key) {
    const Mix mix = draw_mix({.cutmix = true}, CounterRandom(key), kSize);
    std::vector<float> image(3 * kSize * kSize, 1.0f);
    const std::vector<float> partner(image.size(), 0.0f);
    mix_images(mix, kSize, image, partner);
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < kSize; ++y) {
        for (int x = 0; x < kSize; ++x) {
          const bool inside = y >= mix.top && y < mix.bottom && x >= mix.left && x < mix.right;
          ASSERT_EQ(image[static_cast<std::size_t>((c * kSize + y) * kSize + x)], inside ? 0.0f : 1.0f);
        }
      }
    }
    EXPECT_NEAR(std::accumulate(image.begin(), image.end(), 0.0) / static_cast<double>(image.size()), mix.share, 1e-6);
    corners.emplace(mix.top, mix.left);
  }
  EXPECT_GT(corners.size(), 50u);
}

// timm's mixup_target(torch.tensor([1, 0]), 4, lam=0.7, smoothing=0.1), its first row.
TEST(Mixing, MakesTimmsTargets) {
  std::vector<float> target(4);
  soft_target({.kind = Mix::Kind::mixup, .share = 0.7f}, 1, 0, 0.1, target);
  const std::vector<float> expected = {0.295f, 0.655f, 0.025f, 0.025f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(target[i], expected[i], 1e-6);
  soft_target({}, 2, 2, 0.0, target);
  EXPECT_EQ(target, (std::vector<float>{0, 0, 1, 0}));
  soft_target({.kind = Mix::Kind::cutmix, .share = 0.25f}, 3, 3, 0.0, target);
  EXPECT_EQ(target, (std::vector<float>{0, 0, 0, 1}));
}

}  // namespace
}  // namespace edgelab::data
