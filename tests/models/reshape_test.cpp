#include "models/reshape.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "models/model_file.hpp"
#include "models/random_weights.hpp"
#include "models/weights.hpp"

namespace edgelab::models {
namespace {

ModelOptions options() {
  ModelOptions options;
  options.arch = "deit_tiny_patch16_224";
  options.classes = 3;
  options.img_size = 32;
  options.depth = 1;
  options.embed_dim = 48;
  options.num_heads = 4;
  return options;
}

// One of four heads and a quarter of the hidden units less.
Shapes fewer() {
  return {{"blocks.0.attn.qkv.weight", {108, 48}}, {"blocks.0.attn.qkv.bias", {108}},    {"blocks.0.attn.proj.weight", {48, 36}},
          {"blocks.0.mlp.fc1.weight", {144, 48}},  {"blocks.0.mlp.fc1.bias", {144}},     {"blocks.0.mlp.fc2.weight", {48, 144}}};
}

Safetensors opened(const std::vector<std::uint8_t>& file) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(file);
  return Safetensors::of_bytes(std::as_writable_bytes(std::span(*bytes)), bytes, "a model");
}

TEST(Reshape, HeadsKeepTheirSizeAndTheOrderOfWeightsStays) {
  const graph::Graph whole = build(options(), 2), smaller = reshaped(whole, fewer());
  EXPECT_NE(smaller.text().find("attention{3 heads}"), std::string::npos) << smaller.text();
  ASSERT_EQ(whole.weights().size(), smaller.weights().size());
  for (std::size_t i = 0; i < whole.weights().size(); ++i) EXPECT_EQ(whole.value(whole.weights()[i]).name, smaller.value(smaller.weights()[i]).name);
}

TEST(Reshape, APrunedFileSaysSoAndBringsItsShapes) {
  graph::Graph smaller = reshaped(build(options(), 1), fewer());
  bind_random(smaller, 3);
  const ModelWeights file = model_weights(opened(model_file(smaller, options())));
  graph::Graph read = with_shapes_of(build(options(), 4), file);
  models::bind(read, file);
  EXPECT_EQ(read.flop(), 4 * smaller.flop());

  graph::Graph whole = build(options(), 1);
  bind_random(whole, 3);
  EXPECT_FALSE(opened(model_file(whole, options())).metadata().contains(kPrunedShapes));
}

TEST(Reshape, ShapesThatDontFitTogetherOrOtherClassesAreRefused) {
  Shapes torn = fewer();
  torn.erase("blocks.0.mlp.fc2.weight");
  EXPECT_THROW(reshaped(build(options(), 1), torn), Error);

  ModelOptions other = options();
  other.classes = 4;
  graph::Graph smaller = reshaped(build(other, 1), fewer());
  bind_random(smaller, 3);
  EXPECT_THROW(with_shapes_of(build(options(), 1), model_weights(opened(model_file(smaller, other)))), Error);
}

}  // namespace
}  // namespace edgelab::models
