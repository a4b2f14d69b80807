#include "compress/prune/channels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "graph/evaluate.hpp"
#include "models/model.hpp"
#include "models/random_weights.hpp"

namespace edgelab::compress {
namespace {

using Units = std::vector<std::vector<std::int64_t>>;

graph::Graph small_model(const std::string& arch) {
  models::ModelOptions options;
  options.arch = arch;
  options.classes = 5;
  if (arch == "mobilenet_v2") {
    options.input_size = 32, options.width_mult = 0.35;
  } else {
    options.img_size = 32, options.depth = 2, options.embed_dim = 48, options.num_heads = 4;
  }
  graph::Graph model = models::build(options, 1);
  models::bind_random(model, 7);
  return model;
}

Units keep_for(const graph::Graph& model, const std::vector<ChannelGroup>& groups, const ChannelTarget& target, std::vector<std::string> skip = {}) {
  std::vector<std::vector<double>> importance;
  for (const ChannelGroup& group : groups) importance.push_back(unit_importance(model, group, Criterion::magnitude, {}));
  return units_to_keep(model, groups, importance, target, skip);
}

// The model with all that the other units have in it set to zero: then they give nothing, and nobody misses them.
graph::Graph silenced(const graph::Graph& model, const std::vector<ChannelGroup>& groups, const Units& keep) {
  graph::Graph result = model;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::set<std::int64_t> stays(keep[g].begin(), keep[g].end());
    for (const GroupMember& member : groups[g].members) {
      for (const graph::ValueId id : result.weights()) {
        const graph::Value& value = result.value(id);
        if (value.name != member.weight || value.kind != graph::ValueKind::parameter) continue;
        Tensor tensor = value.data.clone();
        const auto elements = tensor.as<float>();
        std::int64_t behind = 1;
        for (int axis = member.axis + 1; axis < tensor.shape().rank(); ++axis) behind *= tensor.shape()[axis];
        for (std::size_t i = 0; i < elements.size(); ++i) {
          const std::int64_t index = static_cast<std::int64_t>(i) / behind % tensor.shape()[member.axis];
          if (!stays.contains(index / member.width % groups[g].units)) elements[i] = 0.0f;
        }
        result.bind(id, tensor);
        break;
      }
    }
  }
  return result;
}

TEST(PruneChannels, TheSmallerModelSaysWhatTheWholeOneDoesWithTheOtherChannelsSilenced) {
  for (const char* arch : {"mobilenet_v2", "deit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224"}) {
    const graph::Graph model = small_model(arch);
    const std::vector<ChannelGroup> groups = channel_groups(model);
    const Units keep = keep_for(model, groups, {0.7, std::nullopt});
    const graph::Graph smaller = without_units(model, groups, keep);
    EXPECT_LE(static_cast<double>(smaller.flop()), 0.7 * static_cast<double>(model.flop())) << arch;
    const graph::Graph quiet = silenced(model, groups, keep);
    const Tensor x = test::random_tensor(model.type(model.inputs().front()).shape, 42);
    EXPECT_LE(test::relative_difference(graph::testing::evaluate(smaller, x), graph::testing::evaluate(quiet, x)), 1e-4) << arch;
  }
}

TEST(PruneChannels, ResidualSumsAndDepthwiseConvolutionsTieChannelsTogether) {
  const std::vector<ChannelGroup> groups = channel_groups(small_model("mobilenet_v2"));
  const auto group_of = [&](const std::string& weight, int axis) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const GroupMember& member : groups[g].members) {
        if (member.weight == weight && member.axis == axis) return static_cast<int>(g);
      }
    }
    return -1;
  };
  // features.2's result goes into features.3, whose own is added to it, and both into features.4.
  const int stream = group_of("features.2.conv.2.weight", 0);
  ASSERT_GE(stream, 0);
  EXPECT_EQ(group_of("features.3.conv.0.0.weight", 1), stream);
  EXPECT_EQ(group_of("features.3.conv.2.weight", 0), stream);
  EXPECT_EQ(group_of("features.3.conv.3.running_var", 0), stream);
  EXPECT_EQ(group_of("features.4.conv.0.0.weight", 1), stream);
  EXPECT_NE(group_of("features.4.conv.2.weight", 0), stream);
  // Expansion, depthwise convolution and projection.
  const int hidden = group_of("features.3.conv.0.0.weight", 0);
  EXPECT_EQ(group_of("features.3.conv.1.0.weight", 0), hidden);
  EXPECT_EQ(group_of("features.3.conv.2.weight", 1), hidden);
  // Images and classes stay as they are.
  EXPECT_EQ(group_of("features.0.0.weight", 1), -1);
  EXPECT_EQ(group_of("classifier.1.weight", 0), -1);
}

TEST(PruneChannels, OfATransformerHeadsAndHiddenUnitsGo) {
  const std::vector<ChannelGroup> groups = channel_groups(small_model("deit_tiny_patch16_224"));
  ASSERT_EQ(groups.size(), 4u);
  for (const ChannelGroup& group : groups) EXPECT_EQ(group.units, group.heads ? 4 : 192) << group.name;
  EXPECT_EQ(std::count_if(groups.begin(), groups.end(), [](const ChannelGroup& group) { return group.heads; }), 2);
}

TEST(PruneChannels, WidthsStayMultiplesOfEightAndSkippedLayersWhole) {
  const graph::Graph model = small_model("mobilenet_v2");
  const std::vector<ChannelGroup> groups = channel_groups(model);
  const Units keep = keep_for(model, groups, {std::nullopt, 0.3}, {"features.5.conv.1.0"});
  for (std::size_t g = 0; g < groups.size(); ++g) {
    EXPECT_TRUE(keep[g].size() % 8 == 0 || static_cast<std::int64_t>(keep[g].size()) == groups[g].units) << groups[g].name;
    const bool skipped = std::any_of(groups[g].members.begin(), groups[g].members.end(), [](const GroupMember& member) { return member.weight == "features.5.conv.1.0.weight"; });
    if (skipped) {
      EXPECT_EQ(static_cast<std::int64_t>(keep[g].size()), groups[g].units);
    }
  }
  const graph::Graph smaller = without_units(model, groups, keep);
  EXPECT_LE(static_cast<double>(smaller.parameter_elements()), 0.7 * static_cast<double>(model.parameter_elements()));
}

TEST(PruneChannels, WhereNothingTellsUnitsApartTheTargetIsMetByAllGroups) {
  const graph::Graph model = small_model("mobilenet_v2");
  const std::vector<ChannelGroup> groups = channel_groups(model);
  std::vector<std::vector<double>> alike;
  for (const ChannelGroup& group : groups) alike.emplace_back(static_cast<std::size_t>(group.units), 1.0);
  const Units keep = units_to_keep(model, groups, alike, {0.5, std::nullopt}, {});
  const double share = static_cast<double>(without_units(model, groups, keep).flop()) / static_cast<double>(model.flop());
  EXPECT_LE(share, 0.5);
  EXPECT_GE(share, 0.4);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].units < 64) continue;  // small widths are rounded
    EXPECT_NEAR(static_cast<double>(keep[g].size()) / static_cast<double>(groups[g].units), 0.65, 0.2) << groups[g].name;
  }
}

TEST(PruneChannels, ATargetThatLeastWidthsDontReachIsRefusedWithWhatTheyReach) {
  const graph::Graph model = small_model("mobilenet_v2");
  try {
    keep_for(model, channel_groups(model), {0.001, std::nullopt});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("at least"), std::string::npos) << error.what();
  }
}

TEST(PruneChannels, ImportanceFindsWhatDoesNothing) {
  graph::Graph model = small_model("mobilenet_v2");
  const std::vector<ChannelGroup> groups = channel_groups(model);
  const auto group = std::find_if(groups.begin(), groups.end(), [](const ChannelGroup& each) { return each.units >= 48; });
  ASSERT_NE(group, groups.end());
  Units keep;
  for (const ChannelGroup& each : groups) {
    keep.emplace_back();
    for (std::int64_t unit = 0; unit < each.units; ++unit) {
      if (&each != &*group || unit != 5) keep.back().push_back(unit);
    }
  }
  const graph::Graph quiet = silenced(model, groups, keep);
  for (const Criterion criterion : {Criterion::magnitude, Criterion::bn_scale}) {
    const std::vector<double> worth = unit_importance(quiet, *group, criterion, {});
    EXPECT_EQ(std::min_element(worth.begin(), worth.end()) - worth.begin(), 5);
  }
}

}  // namespace
}  // namespace edgelab::compress
