#include "models/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"

namespace edgelab::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(std::ifstream(EDGELAB_SOURCE_DIR "/tests/models/golden/" + name));
}

ModelOptions options_of(const std::string& arch) {
  ModelOptions options;
  options.arch = arch;
  return options;
}

std::map<std::string, Shape> weights_of(const graph::Graph& graph) {
  std::map<std::string, Shape> weights;
  for (const graph::ValueId id : graph.weights()) weights.emplace(graph.value(id).name, graph.value(id).type.shape);
  return weights;
}

// The lists of state_dicts.json, "blocks.*" written out.
std::map<std::string, Shape> expected_weights(const nlohmann::json& entry) {
  std::map<std::string, Shape> weights;
  for (const auto& [name, extents] : entry["tensors"].items()) {
    const auto shape = extents.get<std::vector<std::int64_t>>();
    const std::size_t star = name.find('*');
    if (star == std::string::npos) {
      weights.emplace(name, Shape(shape));
      continue;
    }
    for (int i = 0; i < entry["depth"]; ++i) weights.emplace(name.substr(0, star) + std::to_string(i) + name.substr(star + 1), Shape(shape));
  }
  return weights;
}

TEST(Model, NamesAndShapesOfWeightsEqualTorchvisionsAndTimmsForEveryArchitecture) {
  const auto dicts = golden("state_dicts.json");
  ASSERT_EQ(dicts.size(), arches().size());
  for (const ArchInfo& info : arches()) {
    ASSERT_TRUE(dicts.contains(info.name)) << info.name;
    const auto expected = expected_weights(dicts[info.name]);
    const auto weights = weights_of(build(options_of(info.name), 1));
    for (const auto& [name, shape] : expected) {
      ASSERT_TRUE(weights.count(name)) << info.name << " lacks " << name;
      EXPECT_EQ(weights.at(name), shape) << info.name << " " << name;
    }
    EXPECT_EQ(weights.size(), expected.size()) << info.name;
  }
}

TEST(Model, ParameterCountsEqualPyTorchs) {
  const auto dicts = golden("state_dicts.json");
  for (const auto& [arch, entry] : dicts.items()) {
    EXPECT_EQ(build(options_of(arch), 1).parameter_elements(), entry["parameters"].get<std::int64_t>()) << arch;
  }
}

// PyTorch's counter takes the products alone: convolutions, linear layers and attention's two.
TEST(Model, MultiplyAddsEqualPyTorchs) {
  const auto dicts = golden("state_dicts.json");
  for (const auto& [arch, entry] : dicts.items()) {
    const graph::Graph graph = build(options_of(arch), 1);
    std::int64_t flop = 0;
    for (const graph::Node& node : graph.nodes()) {
      const Shape& shape = graph.type(node.outputs[0]).shape;
      if (node.op.as<kernels::Conv2d>() != nullptr || node.op.as<kernels::Linear>() != nullptr) flop += graph.flop(node);
      if (node.op.as<kernels::Attention>() != nullptr) flop += 4 * shape[0] * shape[1] * shape[1] * shape[2];
    }
    EXPECT_EQ(flop / 2, entry["multiply_adds"].get<std::int64_t>()) << arch;
    EXPECT_GT(graph.flop(), flop) << arch;
  }
}

TEST(Model, WorkGrowsWithTheBatchAndParametersDoNot) {
  for (const ArchInfo& info : arches()) {
    const graph::Graph one = build(options_of(info.name), 1), three = build(options_of(info.name), 3);
    EXPECT_EQ(three.flop(), 3 * one.flop()) << info.name;
    EXPECT_EQ(three.parameter_elements(), one.parameter_elements()) << info.name;
  }
}

TEST(Model, TakesImagesAndGivesLogitsOfTheSizesAskedFor) {
  for (const ArchInfo& info : arches()) {
    ModelOptions options = options_of(info.name);
    options.classes = 7;
    options.input_size = 64;
    const graph::Graph graph = build(options, 5);
    ASSERT_EQ(graph.inputs().size(), 1u);
    ASSERT_EQ(graph.outputs().size(), 1u);
    EXPECT_EQ(graph.value(graph.inputs()[0]).name, "images");
    EXPECT_EQ(graph.type(graph.inputs()[0]).shape, (Shape{5, 3, 64, 64})) << info.name;
    EXPECT_EQ(graph.type(graph.outputs()[0]).shape, (Shape{5, 7})) << info.name;
    EXPECT_EQ(input_size_of(options), 64);
  }
}

TEST(Model, VisionTransformersTakeTheirSizesFromTheOptions) {
  ModelOptions options = options_of("deit_tiny_distilled_patch16_224");
  options.img_size = 32;
  options.patch_size = 4;
  options.depth = 3;
  options.embed_dim = 40;
  options.num_heads = 5;
  const auto weights = weights_of(build(options, 2));
  EXPECT_EQ(weights.at("pos_embed"), (Shape{1, 66, 40}));
  EXPECT_EQ(weights.at("patch_embed.proj.weight"), (Shape{40, 3, 4, 4}));
  EXPECT_EQ(weights.at("blocks.2.attn.qkv.weight"), (Shape{120, 40}));
  EXPECT_EQ(weights.count("blocks.3.attn.qkv.weight"), 0u);
}

TEST(Model, WidthMultipliersRoundChannelsAsTorchvisionDoes) {
  ModelOptions options = options_of("mobilenet_v2");
  // Counted by torchvision 0.29.
  const std::map<double, std::int64_t> parameters = {{0.1, 1367080},  {0.35, 1677128}, {0.5, 1968680},
                                                    {0.75, 2636424}, {1.4, 6108776}, {2.0, 11258088}};
  for (const auto& [width, count] : parameters) {
    options.width_mult = width;
    EXPECT_EQ(build(options, 1).parameter_elements(), count) << width;
  }
}

TEST(Model, LayerNamesAreUnique) {
  for (const ArchInfo& info : arches()) {
    const graph::Graph graph = build(options_of(info.name), 1);
    std::map<std::string, int> names;
    for (const graph::Node& node : graph.nodes()) EXPECT_EQ(names[node.name]++, 0) << info.name << " " << node.name;
  }
}

TEST(Model, AnUnknownArchitectureGetsTheNearestName) {
  try {
    build(options_of("deit_tinny_patch16_224"), 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("model.arch"), HasSubstr("did you mean \"deit_tiny_patch16_224\"?"), HasSubstr("mobilenet_v2, vit_tiny")));
  }
  EXPECT_EQ(find_arch("resnet50"), nullptr);
}

std::string refusal(const ModelOptions& options, std::int64_t batch = 1) {
  try {
    build(options, batch);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(Model, OptionsThatDoNotFitTheArchitectureAreNamed) {
  ModelOptions mobilenet = options_of("mobilenet_v2");
  mobilenet.depth = 6;
  EXPECT_THAT(refusal(mobilenet), HasSubstr("model.depth: mobilenet_v2 has no such setting (got 6, expected classes, input_size or width_mult)"));
  for (const double width : {0.0, -1.0, 1e9, std::numeric_limits<double>::quiet_NaN()}) {
    ModelOptions options = options_of("mobilenet_v2");
    options.width_mult = width;
    EXPECT_THAT(refusal(options), HasSubstr("model.width_mult: the value is out of range")) << width;
  }
  ModelOptions vit = options_of("vit_tiny_patch16_224");
  vit.width_mult = 0.5;
  EXPECT_THAT(refusal(vit), HasSubstr("model.width_mult: vit_tiny_patch16_224 has no such setting"));
  vit = options_of("vit_tiny_patch16_224");
  vit.img_size = 100;
  EXPECT_THAT(refusal(vit), HasSubstr("model.img_size: patches must cover the image exactly (got img_size 100, patch_size 16"));
  vit = options_of("vit_tiny_patch16_224");
  vit.num_heads = 7;
  EXPECT_THAT(refusal(vit), HasSubstr("model.num_heads: the heads must share the width evenly (got embed_dim 192, num_heads 7"));
  vit = options_of("vit_tiny_patch16_224");
  vit.img_size = 32;
  vit.input_size = 64;
  EXPECT_THAT(refusal(vit), HasSubstr("model.input_size"));
  vit = options_of("vit_tiny_patch16_224");
  vit.patch_size = 0;
  EXPECT_THAT(refusal(vit), HasSubstr("model.patch_size: the value is out of range (got 0, expected 1 to"));
  EXPECT_THAT(refusal(options_of("vit_tiny_patch16_224"), 0), HasSubstr("batch: the value is out of range"));
}

TEST(Model, AllProblemsAreToldAtOnce) {
  ModelOptions options = options_of("mobilenet_v2");
  options.classes = 0;
  options.depth = 2;
  options.num_heads = 2;
  options.width_mult = -1.0;
  std::vector<std::string> keys;
  for (const OptionProblem& problem : problems_of(options)) keys.push_back(problem.key);
  EXPECT_THAT(keys, testing::ElementsAre("classes", "depth", "num_heads", "width_mult"));
}

}  // namespace
}  // namespace edgelab::models
