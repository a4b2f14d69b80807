#include "train/autodiff.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "golden.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/reorder/reorder.hpp"
#include "kernels/softmax_cross_entropy/softmax_cross_entropy.hpp"
#include "train/gradients/backward.hpp"
#include "train/training_form.hpp"

namespace edgelab::train {
namespace {

using graph::Graph;
using graph::ValueId;
using kernels::Linear;
using kernels::SoftmaxCrossEntropy;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

struct Small {
  Graph graph;
  ValueId x, weight, targets;
};

Small small(Linear linear = {}) {
  Small made;
  made.x = made.graph.input("x", {DType::f32, {2, 3}});
  made.targets = made.graph.input("targets", {DType::f32, {2, 4}});
  made.weight = made.graph.parameter("weight", {DType::f32, {4, 3}});
  const ValueId y = made.graph.add("layer", linear, {made.x, made.weight});
  made.graph.output(made.graph.add("loss", SoftmaxCrossEntropy{}, {y, made.targets}));
  return made;
}

TEST(Autodiff, GradientsHaveTheTypeOfWhatTheyAreOf) {
  const Small made = small();
  const ValueId wanted[] = {made.weight, made.x};
  const Differentiated both = differentiate(made.graph, wanted);
  ASSERT_EQ(both.graph.outputs().size(), 3u);
  EXPECT_EQ(both.graph.type(both.graph.outputs()[1]).shape, (Shape{4, 3}));
  EXPECT_EQ(both.graph.type(both.graph.outputs()[2]).shape, (Shape{2, 3}));
}

TEST(Autodiff, WhatIsNotWantedCostsNothing) {
  const Small made = small();
  const ValueId weight[] = {made.weight};
  const Differentiated both = differentiate(made.graph, weight);
  for (const graph::Node& node : both.graph.nodes()) EXPECT_NE(node.op.name(), "linear_backward_data") << both.graph.text();
}

TEST(Autodiff, AParameterThatNoLossReadsIsNamed) {
  Small made = small();
  const ValueId idle = made.graph.parameter("idle", {DType::f32, {4, 3}});
  const ValueId wanted[] = {made.weight, idle};
  EXPECT_NE(message_of([&] { differentiate(made.graph, wanted); }).find("idle"), std::string::npos);
}

TEST(Autodiff, AFusedLayerIsRefused) {
  const Small made = small(Linear{.activation = kernels::ActivationKind::gelu});
  const ValueId wanted[] = {made.weight};
  EXPECT_NE(message_of([&] { differentiate(made.graph, wanted); }).find("layer: a fused linear"), std::string::npos);
}

TEST(Autodiff, AnOpWithoutARuleIsNamed) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {2, 4}}), targets = graph.input("targets", {DType::f32, {2, 4}});
  const ValueId moved = graph.add("move", kernels::Reorder{kernels::Layout::plain({DType::f32, {2, 4}})}, {x});
  graph.output(graph.add("loss", SoftmaxCrossEntropy{}, {moved, targets}));
  const ValueId wanted[] = {x};
  EXPECT_NE(message_of([&] { differentiate(graph, wanted); }).find("reorder has no gradient"), std::string::npos);
}

// Whatever a model is made of can be trained.
TEST(Autodiff, EveryArchitectureCanBeDifferentiated) {
  for (const models::ArchInfo& arch : models::arches()) {
    models::ModelOptions options;
    options.arch = arch.name;
    if (arch.family == models::Family::vision_transformer) options.depth = 1;
    const TrainingForm form = training_form(models::build(options, 2), {});
    std::vector<ValueId> wanted;
    for (const ValueId id : form.graph.weights()) {
      if (form.graph.value(id).kind == graph::ValueKind::parameter) wanted.push_back(id);
    }
    const Differentiated both = differentiate(form.graph, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(both.graph.type(both.graph.outputs()[both.first_gradient + i]), form.graph.type(wanted[i])) << arch.name;
    }
  }
}

}  // namespace
}  // namespace edgelab::train
