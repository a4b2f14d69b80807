#include "models/random_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "models/model.hpp"

namespace edgelab::models {
namespace {

struct Moments {
  double mean = 0.0, deviation = 0.0;
};

Moments moments_of(const Tensor& tensor) {
  double sum = 0.0, squares = 0.0;
  for (const float value : tensor.as<float>()) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(tensor.elements());
  return {sum / count, std::sqrt(squares / count - sum / count * (sum / count))};
}

bool same_bytes(const Tensor& a, const Tensor& b) { return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), a.bytes()) == 0; }

// The same numbers by numpy, tests/models/golden/random_weights.py. A change of the rule changes every stored logit.
TEST(RandomWeights, StayTheNumbersTheyHaveAlwaysBeen) {
  const auto weight = random_weight("blocks.0.attn.qkv.weight", {6, 4}, 7);
  const float expected[] = {-0.0169866141f, 0.00712751597f, 0.921258271f, 0.124792963f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(weight.as<float>()[i], expected[i]) << i;
  const auto variance = random_weight("features.0.1.running_var", {4}, 7);
  const float expected_variance[] = {1.11560786f, 1.00760531f, 1.15693772f, 1.30383968f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(variance.as<float>()[i], expected_variance[i]) << i;
}

TEST(RandomWeights, DoNotDependOnTheNumberOfThreads) {
  for (const char* name : {"a.weight", "a.running_var"}) {
    const Tensor one = random_weight(name, {1003}, 3, 1);
    for (const int threads : {2, 3, 7}) EXPECT_TRUE(same_bytes(one, random_weight(name, {1003}, 3, threads))) << name << threads;
  }
}

TEST(RandomWeights, DependOnSeedAndName) {
  const Tensor base = random_weight("a.weight", {64, 8}, 3);
  EXPECT_TRUE(same_bytes(base, random_weight("a.weight", {64, 8}, 3)));
  EXPECT_FALSE(same_bytes(base, random_weight("a.weight", {64, 8}, 4)));
  EXPECT_FALSE(same_bytes(base, random_weight("b.weight", {64, 8}, 3)));
}

TEST(RandomWeights, HaveTheScalesThatTheHeaderPromises) {
  const auto expect = [](const char* name, const Shape& shape, double mean, double deviation) {
    const Moments moments = moments_of(random_weight(name, shape, 1));
    EXPECT_NEAR(moments.mean, mean, 0.05 * deviation) << name;
    EXPECT_NEAR(moments.deviation, deviation, 0.05 * deviation) << name;
  };
  expect("head.weight", {100, 192}, 0.0, std::sqrt(1.0 / 192));
  expect("features.1.conv.0.0.weight", {960, 1, 3, 3}, 0.0, std::sqrt(2.0 / 9));
  expect("norm.weight", {20000}, 1.0, 0.1);
  expect("blocks.0.ls1.gamma", {20000}, 1.0, 0.1);
  expect("norm.bias", {20000}, 0.0, 0.1);
  expect("bn.running_mean", {20000}, 0.0, 0.1);
  expect("bn.running_var", {20000}, 1.25, 0.5 / std::sqrt(12.0));
  expect("pos_embed", {1, 197, 192}, 0.0, 0.2);
}

TEST(RandomWeights, BindEveryWeightOfEveryArchitecture) {
  for (const ArchInfo& info : arches()) {
    ModelOptions options;
    options.arch = info.name;
    options.classes = 3;
    if (info.family == Family::vision_transformer) {
      options.depth = 1;
      options.embed_dim = 12;
      options.num_heads = 2;
    } else {
      options.width_mult = 0.1;
    }
    graph::Graph graph = build(options, 1);
    bind_random(graph, 5);
    for (const graph::ValueId id : graph.weights()) {
      ASSERT_TRUE(graph.value(id).known()) << graph.value(id).name;
      EXPECT_GT(moments_of(graph.value(id).data).deviation, 0.0) << graph.value(id).name;
    }
  }
}

}  // namespace
}  // namespace edgelab::models
