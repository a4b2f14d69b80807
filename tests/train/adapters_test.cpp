#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "golden.hpp"
#include "models/weights.hpp"
#include "runtime/executable.hpp"
#include "train/lora.hpp"
#include "train/trainable.hpp"

namespace edgelab::train {
namespace {

graph::Graph small_vit() {
  models::ModelOptions options;
  options.arch = "deit_tiny_patch16_224";
  options.img_size = 16;
  options.patch_size = 8;
  options.depth = 3;
  options.embed_dim = 24;
  options.num_heads = 3;
  options.classes = 5;
  graph::Graph graph = models::build(options, 2);
  models::bind_random(graph, 1);
  return graph;
}

std::vector<float> logits_of(const graph::Graph& graph) {
  runtime::Executable executable(runtime::Plan::compile(graph, {}));
  testing::draw_images(executable.input(), 5, "images");
  executable.run();
  const Tensor output = executable.output();
  return {output.as<float>().begin(), output.as<float>().end()};
}

Tensor weight_named(const graph::Graph& graph, const std::string& name) {
  for (const graph::ValueId id : graph.weights()) {
    if (graph.value(id).name == name) return graph.value(id).data;
  }
  return {};
}

TEST(Lora, ChangesNothingUntilItIsTrainedAndMergesToTheSame) {
  const graph::Graph model = small_vit();
  const graph::Graph adapted = add_lora(model, {.rank = 3, .alpha = 6.0, .targets = {"attn.qkv", "mlp.fc1"}}, 7);
  EXPECT_EQ(logits_of(model), logits_of(adapted));
  EXPECT_EQ(weight_named(adapted, "blocks.2.attn.qkv.lora_A.weight").shape(), (Shape{3, 24}));
  EXPECT_EQ(weight_named(adapted, "blocks.2.mlp.fc1.lora_B.weight").shape(), (Shape{96, 3}));
  EXPECT_FALSE(weight_named(adapted, "blocks.0.attn.proj.lora_A.weight").defined());

  Tensor b = weight_named(adapted, "blocks.1.attn.qkv.lora_B.weight");
  CounterRandom random(3);
  for (float& value : b.as<float>()) value = 0.3f * random.normal();
  const std::vector<float> trained = logits_of(adapted), merged = logits_of(merge_lora(adapted, model));
  EXPECT_NE(trained, logits_of(model));
  for (std::size_t i = 0; i < trained.size(); ++i) EXPECT_NEAR(trained[i], merged[i], 1e-4) << i;
}

TEST(Lora, ATargetThatIsNoLayerIsNamed) {
  try {
    add_lora(small_vit(), {.targets = {"attn.query"}}, 7);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("attn.query"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("blocks.0.attn.qkv"), std::string::npos) << error.what();
  }
}

std::set<std::string> chosen(const graph::Graph& graph, const TrainableSettings& settings) {
  const auto names = trainable_parameters(graph, settings);
  return {names.begin(), names.end()};
}

TEST(Trainable, ChoosesByWhereALayerStands) {
  using What = TrainableSettings::What;
  const graph::Graph vit = small_vit();
  EXPECT_EQ(chosen(vit, {What::head, 0}), (std::set<std::string>{"head.weight", "head.bias"}));
  const auto last = chosen(vit, {What::last, 1});
  EXPECT_TRUE(last.contains("blocks.2.norm1.weight") && last.contains("norm.bias") && last.contains("head.weight"));
  EXPECT_FALSE(last.contains("blocks.1.norm1.weight") || last.contains("pos_embed"));
  EXPECT_EQ(chosen(vit, {What::all, 0}).size(), vit.weights().size());
  const auto adapters = chosen(add_lora(vit, {}, 1), {What::lora, 0});
  EXPECT_TRUE(adapters.contains("blocks.0.attn.proj.lora_B.weight") && adapters.contains("head.bias"));
  EXPECT_FALSE(adapters.contains("blocks.0.attn.proj.weight"));
  EXPECT_THROW(trainable_parameters(vit, {What::last, 4}), Error);

  models::ModelOptions options;
  options.arch = "mobilenet_v2";
  const graph::Graph mobilenet = models::build(options, 1);
  const auto two = chosen(mobilenet, {What::last, 2});
  EXPECT_TRUE(two.contains("features.16.conv.0.0.weight") && two.contains("features.17.conv.3.bias") && two.contains("features.18.0.weight"));
  EXPECT_FALSE(two.contains("features.15.conv.0.0.weight"));
  EXPECT_TRUE(chosen(mobilenet, {What::last, 17}).contains("features.1.conv.0.0.weight"));
  EXPECT_THROW(trainable_parameters(mobilenet, {What::last, 18}), Error);
}

}  // namespace
}  // namespace edgelab::train
