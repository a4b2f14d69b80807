#include "compress/prune/masks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"
#include "support/random_tensor.hpp"

namespace edgelab::compress {
namespace {

Judged judged(const std::string& name, Shape shape, std::uint64_t seed, float scale = 1.0f) {
  const Tensor values = test::random_tensor(shape, seed, scale);
  Judged weight{name, shape, {}};
  for (const float value : values.as<float>()) weight.worth.push_back(std::abs(value));
  return weight;
}

double zeros(const Mask& mask) { return static_cast<double>(std::count(mask.keep.begin(), mask.keep.end(), 0)) / static_cast<double>(mask.keep.size()); }

TEST(PruneMasks, TheLeastImportantOfALayerGo) {
  const Judged weight{"w", {2, 3}, {5, 1, 4, 2, 6, 3}};
  EXPECT_EQ(masks({weight}, {{}, 0.5, true}).front().keep, (std::vector<std::uint8_t>{1, 0, 1, 0, 1, 0}));
}

TEST(PruneMasks, TogetherLayersLoseTheShareAndTheirScaleDoesNotMatter) {
  const std::vector<Judged> weights = {judged("a", {40, 50}, 1), judged("b", {30, 20, 3, 3}, 2, 1000.0f)};
  const std::vector<Mask> result = masks(weights, {{}, 0.8, false});
  EXPECT_NEAR((zeros(result[0]) * 2000 + zeros(result[1]) * 5400) / 7400, 0.8, 1e-3);
  EXPECT_NEAR(zeros(result[0]), zeros(result[1]), 0.05);
  for (const Mask& mask : masks(weights, {{}, 0.8, true})) EXPECT_NEAR(zeros(mask), 0.8, 1e-3);
}

TEST(PruneMasks, BlocksAreWholeOutputsOfOneInputAndTheLastMayBeShorter) {
  for (const std::int64_t block : {4, 16}) {
    const Judged weight = judged("w", {22, 30}, 3);
    const Mask mask = masks({weight}, {{block, 0, 0}, 0.7, true}).front();
    EXPECT_NEAR(zeros(mask), 0.7, 0.1);
    for (std::size_t output = 0; output < 22; ++output) {
      for (std::size_t input = 0; input < 30; ++input) {
        const std::size_t first = output / static_cast<std::size_t>(block) * static_cast<std::size_t>(block);
        EXPECT_EQ(mask.keep[output * 30 + input], mask.keep[first * 30 + input]);
      }
    }
  }
}

TEST(PruneMasks, OfEachMInputsTheNMostImportantStay) {
  const Judged weight = judged("w", {8, 18}, 4);
  const Mask mask = masks({weight}, {{1, 2, 4}, 0.0, false}).front();
  for (std::size_t output = 0; output < 8; ++output) {
    for (std::size_t first = 0; first < 18; first += 4) {
      const std::size_t size = std::min<std::size_t>(4, 18 - first), at = output * 18 + first;
      int stay = 0;
      float least_kept = 1e9f, most_gone = 0.0f;
      for (std::size_t i = at; i < at + size; ++i) {
        stay += mask.keep[i];
        if (mask.keep[i] == 1) least_kept = std::min(least_kept, weight.worth[i]);
        if (mask.keep[i] == 0) most_gone = std::max(most_gone, weight.worth[i]);
      }
      EXPECT_EQ(stay, size == 4 ? 2 : 1);
      EXPECT_GE(least_kept, most_gone);
    }
  }
}

TEST(PruneMasks, OfEqualOnesTheFirstGo) {
  const Judged weight{"w", {1, 6}, {1, 1, 1, 1, 1, 1}};
  EXPECT_EQ(masks({weight}, {{}, 0.5, false}).front().keep, (std::vector<std::uint8_t>{0, 0, 0, 1, 1, 1}));
}

TEST(PruneMasks, TheCubicCurveBeginsAtNothingAndEndsAtTheTarget) {
  EXPECT_EQ(cubic_sparsity(0.8, 0.0), 0.0);
  EXPECT_DOUBLE_EQ(cubic_sparsity(0.8, 0.5), 0.8 * 0.875);
  EXPECT_DOUBLE_EQ(cubic_sparsity(0.8, 1.0), 0.8);
  EXPECT_DOUBLE_EQ(cubic_sparsity(0.8, 1.5), 0.8);
}

TEST(PruneImportance, LeavesOutDepthwiseConvolutionsTheFirstLayerAndTheClassifier) {
  models::ModelOptions options;
  options.arch = "mobilenet_v2";
  options.width_mult = 0.1;
  const graph::Graph model = models::build(options, 1);
  const std::vector<PrunableWeight> weights = prunable_weights(model, {"features.18.0"});
  EXPECT_EQ(weights.size(), 33u);  // 16 expansions and 17 projections
  for (const PrunableWeight& weight : weights) {
    EXPECT_EQ(model.type(weight.id).shape[2], 1) << weight.name;
    EXPECT_TRUE(weight.scale.valid()) << weight.name;
  }
  EXPECT_THROW(prunable_weights(model, {"features.18"}), Error);
}

TEST(PruneImportance, TaylorIsGradientTimesWeightAndSaysWhereThereIsNone) {
  models::ModelOptions options;
  options.arch = "vit_tiny_patch16_224";
  options.depth = 1, options.embed_dim = 12, options.num_heads = 2, options.img_size = 32;
  graph::Graph model = models::build(options, 1);
  models::bind_random(model, 1);
  const PrunableWeight weight = prunable_weights(model, {}).front();
  EXPECT_EQ(weight.name, "blocks.0.attn.qkv.weight");
  const Tensor gradient = test::random_tensor(model.type(weight.id).shape, 3);
  Tensor values = model.value(weight.id).data;
  const std::vector<float> worth = importance(model, weight, Criterion::taylor, {{weight.name, gradient}});
  for (std::size_t i = 0; i < worth.size(); ++i) ASSERT_FLOAT_EQ(worth[i], std::abs(values.as<float>()[i] * gradient.as<float>()[i]));
  EXPECT_THROW(importance(model, weight, Criterion::taylor, {}), Error);
  EXPECT_THROW(importance(model, weight, Criterion::bn_scale, {}), Error);
}

}  // namespace
}  // namespace edgelab::compress
